using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Reads a label column as names of classes: a key, text, a Boolean or whole numbers.</summary>
internal static class ClassNames
{
    /// <summary>What a label column may hold, for messages.</summary>
    public const string Expected = "a key, String, Boolean or a number type";

    /// <summary>Whether a scalar column of a type can name classes.</summary>
    public static bool CanBe(DataViewType type) => type is KeyDataViewType or TextDataViewType or BooleanDataViewType or NumberDataViewType;

    /// <summary>Makes the reader of a cursor's current class; it gives <see langword="null"/> where the label is missing: the key 0, empty text, NaN.</summary>
    /// <param name="cursor">A cursor in which the column is active.</param>
    /// <param name="column">The label column, of a type that can name classes.</param>
    public static Func<string?> Reader(DataViewRow cursor, DataViewSchema.Column column)
    {
        switch (column.Type)
        {
            case TextDataViewType:
                ValueGetter<ReadOnlyMemory<char>> text = cursor.GetGetter<ReadOnlyMemory<char>>(column);
                ReadOnlyMemory<char> value = default;
                return () =>
                {
                    text(ref value);
                    return value.Span.IsWhiteSpace() ? null : value.ToString();
                };
            case KeyDataViewType key:
                Func<ulong> read = KeyReader(cursor, column, key.RawType);
                return () => read() is ulong number and > 0 ? number.ToString(CultureInfo.InvariantCulture) : null;
            case NumberDataViewType { RawType: var raw } when raw == typeof(long):
                return Integers<long>(cursor, column);
            case NumberDataViewType { RawType: var raw } when raw == typeof(ulong):
                return Integers<ulong>(cursor, column);
            default:
                // A double holds the values of all other types.
                Func<double> label = LabelColumn.Reader(cursor, column);
                return () => Whole(label(), cursor.Position, column.Name);
        }
    }

    private static Func<string?> Integers<T>(DataViewRow cursor, DataViewSchema.Column column)
        where T : struct, IFormattable
    {
        ValueGetter<T> getter = cursor.GetGetter<T>(column);
        T value = default;
        return () =>
        {
            getter(ref value);
            return value.ToString(null, CultureInfo.InvariantCulture);
        };
    }

    private static string? Whole(double label, long row, string column) =>
        double.IsNaN(label) ? null
        : label == Math.Floor(label) && double.IsFinite(label) ? label.ToString(CultureInfo.InvariantCulture)
        : throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture, $"Row {row} (from 0) has the label {label} in column '{column}'; a class is a whole number. Make a key of it with Transforms.Conversion.MapValueToKey, or train on pairs for graded similarities."));

    private static Func<ulong> KeyReader(DataViewRow cursor, DataViewSchema.Column column, Type rawType)
    {
        return Type.GetTypeCode(rawType) switch
        {
            TypeCode.Byte => Read<byte>(value => value),
            TypeCode.UInt16 => Read<ushort>(value => value),
            TypeCode.UInt32 => Read<uint>(value => value),
            _ => Read<ulong>(value => value),
        };

        Func<ulong> Read<T>(Func<T, ulong> convert)
        {
            ValueGetter<T> getter = cursor.GetGetter<T>(column);
            T value = default!;
            return () =>
            {
                getter(ref value);
                return convert(value);
            };
        }
    }
}
