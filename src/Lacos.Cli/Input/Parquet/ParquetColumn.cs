using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Lacos.Cli.Input.Parquet;

/// <summary>Reads the columns of a row group.</summary>
internal static class ParquetColumn
{
    /// <summary>Reads a column.</summary>
    /// <param name="group">The row group.</param>
    /// <param name="field">A column of the top level.</param>
    /// <param name="rows">Rows of the group.</param>
    /// <returns><see langword="null"/> where its values are neither texts nor numbers.</returns>
    public static ColumnValues? Read(ParquetRowGroupReader group, DataField field, int rows)
    {
        Type type = field.ClrType;
        return field.MaxRepetitionLevel > 0 ? null
            : type == typeof(ReadOnlyMemory<char>) || type == typeof(string) ? Of<ReadOnlyMemory<char>>(group, field, rows, value => value.ToString())
            : type == typeof(float) ? OfNumbers<float>(group, field, rows)
            : type == typeof(double) ? OfNumbers<double>(group, field, rows)
            : type == typeof(sbyte) ? OfNumbers<sbyte>(group, field, rows)
            : type == typeof(byte) ? OfNumbers<byte>(group, field, rows)
            : type == typeof(short) ? OfNumbers<short>(group, field, rows)
            : type == typeof(ushort) ? OfNumbers<ushort>(group, field, rows)
            : type == typeof(int) ? OfNumbers<int>(group, field, rows)
            : type == typeof(uint) ? OfNumbers<uint>(group, field, rows)
            : type == typeof(long) ? OfNumbers<long>(group, field, rows)
            : type == typeof(ulong) ? OfNumbers<ulong>(group, field, rows)
            : null;
    }

    private static Values<T> OfNumbers<T>(ParquetRowGroupReader group, DataField field, int rows)
        where T : struct, IFormattable => Of<T>(group, field, rows, value => value.ToString(null, CultureInfo.InvariantCulture));

    private static Values<T> Of<T>(ParquetRowGroupReader group, DataField field, int rows, Func<T, string> text)
        where T : struct
    {
        var values = new T[rows];
        int[]? places = field.MaxDefinitionLevel > 0 ? new int[rows] : null;
        group.ReadRawAsync(field, values.AsMemory(), places?.AsMemory(), null).AsTask().GetAwaiter().GetResult();

        // Values that are there lie without gaps; a level tells whether a row has one.
        int next = 0;
        for (int row = 0; row < places?.Length; row++)
        {
            places[row] = places[row] == field.MaxDefinitionLevel ? next++ : -1;
        }
        return new Values<T>(values, places, text);
    }

    private sealed class Values<T>(T[] values, int[]? places, Func<T, string> text) : ColumnValues
    {
        public override string? this[int row] => (places is null ? row : places[row]) is int place and >= 0 ? text(values[place]) : null;
    }
}
