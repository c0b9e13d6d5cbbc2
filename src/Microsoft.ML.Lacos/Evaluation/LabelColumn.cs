using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Reads a label column of any number type as double.</summary>
internal static class LabelColumn
{
    /// <summary>Makes the getter of a cursor's current label.</summary>
    /// <param name="cursor">A cursor in which the column is active.</param>
    /// <param name="column">The label column.</param>
    /// <exception cref="ArgumentException">The column is neither a number nor a Boolean.</exception>
    public static Func<double> Reader(DataViewRow cursor, DataViewSchema.Column column)
    {
        // A key's raw type is a number too, but its values are names of classes, in no order.
        Type type = column.Type is KeyDataViewType ? typeof(void) : column.Type.RawType;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Single => Read<float>(cursor, column, value => value),
            TypeCode.Double => Read<double>(cursor, column, value => value),
            TypeCode.Boolean => Read<bool>(cursor, column, value => value ? 1 : 0),
            TypeCode.SByte => Read<sbyte>(cursor, column, value => value),
            TypeCode.Byte => Read<byte>(cursor, column, value => value),
            TypeCode.Int16 => Read<short>(cursor, column, value => value),
            TypeCode.UInt16 => Read<ushort>(cursor, column, value => value),
            TypeCode.Int32 => Read<int>(cursor, column, value => value),
            TypeCode.UInt32 => Read<uint>(cursor, column, value => value),
            TypeCode.Int64 => Read<long>(cursor, column, value => value),
            TypeCode.UInt64 => Read<ulong>(cursor, column, value => value),
            _ => throw Mismatch(column.Name, column.Type.ToString()!),
        };
    }

    /// <summary>What to throw where a label column is neither a number nor a Boolean.</summary>
    /// <param name="name">The column.</param>
    /// <param name="actual">Its type.</param>
    public static ArgumentException Mismatch(string name, string actual) => new(
        $"Schema mismatch for label column '{name}': expected a number (Single, for example), got {actual}. Convert it with mlContext.Transforms.Conversion.ConvertType, or name another column.");

    private static Func<double> Read<T>(DataViewRow cursor, DataViewSchema.Column column, Func<T, double> convert)
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
