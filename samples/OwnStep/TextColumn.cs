using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace OwnStep;

/// <summary>Finds the text column, with the errors that ML.NET's own steps give.</summary>
internal static class TextColumn
{
    /// <summary>In data.</summary>
    public static DataViewSchema.Column Find(IExceptionContext context, DataViewSchema schema, string name)
    {
        DataViewSchema.Column column = schema.GetColumnOrNull(name) ?? throw Missing(context, name, schema.Select(other => other.Name));
        return column.Type is TextDataViewType ? column : throw Mismatch(context, name, column.Type.ToString()!);
    }

    /// <summary>In what an estimator is told before there is data.</summary>
    public static void Require(IExceptionContext context, SchemaShape shape, string name)
    {
        SchemaShape.Column column = shape.FirstOrDefault(other => other.Name == name);
        if (column.Name is null)
        {
            throw Missing(context, name, shape.Select(other => other.Name));
        }
        if (column.ItemType is not TextDataViewType || column.Kind != SchemaShape.Column.VectorKind.Scalar)
        {
            throw Mismatch(context, name, $"{column.Kind} of {column.ItemType}");
        }
    }

    // Process marks an error as one that ML.NET has seen to: it reaches the caller as it is.
    private static ArgumentOutOfRangeException Missing(IExceptionContext context, string name, IEnumerable<string> others) =>
        context.Process(new ArgumentOutOfRangeException("inputSchema", $"Could not find input column '{name}'. The columns are: {string.Join(", ", others)}."));

    private static ArgumentOutOfRangeException Mismatch(IExceptionContext context, string name, string actual) =>
        context.Process(new ArgumentOutOfRangeException("inputSchema", $"Schema mismatch for input column '{name}': expected {TextDataViewType.Instance}, got {actual}."));
}
