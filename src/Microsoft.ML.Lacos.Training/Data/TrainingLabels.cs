using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Evaluation;
using Microsoft.ML.Lacos.Pipeline;
using Microsoft.ML.Lacos.Training.Loop;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Reads and checks the label that a loss needs.</summary>
internal static class TrainingLabels
{
    private const int MostClasses = 10_000;

    /// <summary>Makes the reader of a cursor's current label.</summary>
    /// <param name="cursor">A cursor in which the column is active.</param>
    /// <param name="column">The label column.</param>
    /// <param name="kind">What the loss needs.</param>
    /// <exception cref="ArgumentException">The column's type is of the wrong kind for the loss.</exception>
    public static Func<double> Reader(DataViewRow cursor, DataViewSchema.Column column, LossLabel kind)
    {
        if (kind == LossLabel.Class && column.Type is KeyDataViewType)
        {
            if (column.Type.RawType != typeof(uint))
            {
                throw WrongKey(column.Name, column.Type.ToString()!);
            }
            ValueGetter<uint> getter = cursor.GetGetter<uint>(column);
            uint key = 0;
            return () =>
            {
                getter(ref key);
                return key == 0 ? double.NaN : key - 1.0;
            };
        }
        return kind == LossLabel.Class && column.Type is TextDataViewType ? throw TextClass(column.Name) : LabelColumn.Reader(cursor, column);
    }

    /// <summary>Refuses the shape of a label column that the loss's reader would refuse.</summary>
    /// <param name="column">The label column.</param>
    /// <param name="loss">The loss.</param>
    /// <exception cref="ArgumentException">The column's type is of the wrong kind for the loss.</exception>
    public static void Require(SchemaShape.Column column, TrainingLoss loss)
    {
        switch (LossOfDataset.LabelOf(loss))
        {
            case LossLabel.Vector when column.Kind != SchemaShape.Column.VectorKind.Vector || column.IsKey || column.ItemType != NumberDataViewType.Single:
                throw NoTeacher(column.Name, loss, "Single", ColumnErrors.Describe(column));
            case LossLabel.Class when column.Kind == SchemaShape.Column.VectorKind.Scalar && column.IsKey:
                if (column.ItemType != NumberDataViewType.UInt32)
                {
                    throw WrongKey(column.Name, ColumnErrors.Describe(column));
                }
                break;
            case LossLabel.Class when column.Kind == SchemaShape.Column.VectorKind.Scalar && column.ItemType is TextDataViewType:
                throw TextClass(column.Name);
            case not LossLabel.Vector:
                ColumnErrors.RequireLabel(column);
                break;
        }
    }

    /// <summary>What to throw where the label column holds no vectors of a teacher.</summary>
    /// <param name="name">The label column.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="elements">What the vectors must be of.</param>
    /// <param name="actual">The column's type.</param>
    public static ArgumentException NoTeacher(string name, TrainingLoss loss, string elements, string actual) => new(
        $"Schema mismatch for label column '{name}': the loss {loss} expected a teacher's vector of {elements}, got {actual}. Make it with ApplySentenceEmbedding and a model of that width, or with its Dimension.");

    // ConvertType, which the error of other labels advises, makes NaN of a name.
    private static ArgumentException TextClass(string name) => new(
        $"Schema mismatch for label column '{name}': expected a key or whole numbers, for classes, got {TextDataViewType.Instance}. Make a key of its texts with mlContext.Transforms.Conversion.MapValueToKey, or name another column.");

    private static ArgumentException WrongKey(string name, string actual) => new(
        $"Schema mismatch for label column '{name}': expected Key<UInt32> or whole numbers, got {actual}. Make it with Transforms.Conversion.MapValueToKey.");

    /// <summary>Classes of a label column: a key's count; 0 where only the values tell.</summary>
    public static int KeyCount(DataViewSchema.Column column) => column.Type is KeyDataViewType key ? (int)Math.Min(key.Count, MostClasses) : 0;

    /// <summary>What a loss needs instead of a value that it cannot use; <see langword="null"/> where it can.</summary>
    public static string? NeededInsteadOf(double label, TrainingLoss loss) => loss switch
    {
        _ when !double.IsFinite(label) => "a finite number; leave the row out, or correct it",
        TrainingLoss.CosineSimilarity when Math.Abs(label) > 1 => "a similarity from -1 to 1; divide scores of 0 to 5 by 5, or choose the loss CoSent, for which any scale will do",
        TrainingLoss.Contrastive when label is not (0 or 1) => "0 or 1; choose the loss CoSent for graded similarities",
        TrainingLoss.Softmax when label < 0 || label >= MostClasses || label != Math.Floor(label) => $"a class, a whole number from 0 to {MostClasses - 1}; choose the loss CoSent for graded similarities",
        _ => null,
    };

    /// <summary>Refuses a value that the loss cannot use.</summary>
    /// <exception cref="InvalidDataException">The message names the row.</exception>
    public static void Check(double label, DatasetSettings settings, long row)
    {
        if (NeededInsteadOf(label, settings.Loss) is string needed)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Row {row} (from 0) of {settings.Name} has the label {label} in column '{settings.LabelColumn}'; the loss {settings.Loss} needs {needed}."));
        }
    }
}
