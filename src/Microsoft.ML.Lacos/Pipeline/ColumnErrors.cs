using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Evaluation;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Errors about columns, worded as ML.NET words its own.</summary>
internal static class ColumnErrors
{
    public static int RequireText(IExceptionContext context, DataViewSchema schema, string name)
    {
        if (schema.GetColumnOrNull(name) is not DataViewSchema.Column column)
        {
            throw Missing(context, name, schema.Select(other => other.Name));
        }
        return column.Type is TextDataViewType ? column.Index : throw Mismatch(context, name, column.Type.ToString()!, column.Type is not VectorDataViewType);
    }

    public static void RequireText(IExceptionContext context, SchemaShape shape, string name)
    {
        SchemaShape.Column column = shape.FirstOrDefault(other => other.Name == name);
        if (column.Name is null)
        {
            throw Missing(context, name, shape.Select(other => other.Name));
        }
        bool isScalar = column.Kind == SchemaShape.Column.VectorKind.Scalar;
        if (column.ItemType is not TextDataViewType || !isScalar)
        {
            throw Mismatch(context, name, Describe(column), isScalar);
        }
    }

    /// <summary>Refuses a label column that <see cref="LabelColumn.Reader"/> would refuse.</summary>
    /// <param name="column">Shape of the column.</param>
    /// <exception cref="ArgumentException">The column is neither a number nor a Boolean.</exception>
    public static void RequireLabel(SchemaShape.Column column)
    {
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.IsKey || column.ItemType is not (NumberDataViewType or BooleanDataViewType))
        {
            throw LabelColumn.Mismatch(column.Name, Describe(column));
        }
    }

    /// <summary>The type of a column whose shape alone is known, for messages.</summary>
    public static string Describe(SchemaShape.Column column) =>
        $"{(column.Kind == SchemaShape.Column.VectorKind.Scalar ? "" : $"{column.Kind} of ")}{(column.IsKey ? "Key " : "")}{column.ItemType}";

    private static ArgumentOutOfRangeException Missing(IExceptionContext context, string name, IEnumerable<string> others)
    {
        string columns = string.Join(", ", others.Distinct(StringComparer.Ordinal).Take(32));
        string advice = columns.Length > 0
            ? $"The columns are: {columns}. Name one of them as inputColumnName."
            : "The data has no columns at all. Columns are made of the public properties of the row class; in a trimmed application these may have been removed: publish with TrimMode=partial.";
        return context.Process(new ArgumentOutOfRangeException("inputSchema", $"Could not find input column '{TextInMessage.Of(name)}'. {advice}"));
    }

    // No conversion makes one text of a vector.
    private static ArgumentOutOfRangeException Mismatch(IExceptionContext context, string name, string actual, bool isScalar) => context.Process(new ArgumentOutOfRangeException(
        "inputSchema",
        $"Schema mismatch for input column '{TextInMessage.Of(name)}': expected {TextDataViewType.Instance}, got {actual}. {(isScalar ? "Name a text column, or convert this one with Transforms.Conversion.ConvertType." : "Name a column of one text a row.")}"));

    public static Exception WrongType(DataViewSchema.Column column, Type requested) => new InvalidOperationException(
        $"Invalid TValue in GetGetter for column '{column.Name}': '{requested}', expected type: '{column.Type.RawType}'.");

    public static Exception NotActive(DataViewSchema.Column column) => new ArgumentOutOfRangeException(
        nameof(column), $"Column '{column.Name}' is not active in this cursor. Name it among the columns needed when asking for the cursor.");

    public static int IndexOf(DataViewSchema schema, DataViewSchema.Column column)
    {
        if (column.Index >= schema.Count || !schema[column.Index].Equals(column))
        {
            throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' (index {column.Index}) is not of this schema. Take it from the Schema of the same view.");
        }
        return column.Index;
    }
}
