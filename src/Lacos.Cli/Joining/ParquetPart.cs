using System.Globalization;
using System.Runtime.InteropServices;
using Lacos.Cli.Input;
using Lacos.Cli.Input.Parquet;
using Lacos.Cli.Output;
using Parquet;
using Parquet.Schema;

namespace Lacos.Cli.Joining;

/// <summary>Takes vectors out of a Parquet file as <see cref="ParquetVectorWriter"/> makes it.</summary>
/// <param name="file">The file.</param>
/// <param name="rows">Rows that it must have.</param>
/// <param name="dimension">Elements of a vector.</param>
/// <param name="precision">What they are written as.</param>
internal sealed class ParquetPart(FileStream file, long rows, int dimension, VectorPrecision precision)
{
    private readonly int _rowLength = precision.ElementCount(dimension);

    /// <summary>Reads the file to its end.</summary>
    /// <param name="write">Takes whole rows.</param>
    /// <exception cref="InvalidDataException">It holds something else; the message is a clause.</exception>
    public void Read(Action<ReadOnlyMemory<byte>> write)
    {
        ParquetCheck.Footer(file);
        ParquetReader reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        DataField field = reader.Schema.DataFields is [var only] && only.ClrType == TypeOf() ? only : throw Other();
        long found = 0;
        foreach (ParquetRowGroupReader group in reader.RowGroups)
        {
            int count = group.RowCount is >= 0 and <= GroupedRecords.MostRows ? (int)group.RowCount : throw Other();
            found += count;
            write(Group(group, field, count));
        }
        if (found != rows)
        {
            throw Other();
        }
    }

    private Type TypeOf() => precision switch
    {
        VectorPrecision.Float32 => typeof(float),
        VectorPrecision.Int8 => typeof(sbyte),
        _ => typeof(ReadOnlyMemory<byte>),
    };

    private byte[] Group(ParquetRowGroupReader group, DataField field, int count)
    {
        Parquet.Meta.ColumnMetaData chunk = group.GetMetadata(field)?.MetaData ?? throw Other();
        long values = precision == VectorPrecision.Binary ? count : (long)count * _rowLength;
        if (chunk.NumValues != values || values > ParquetCheck.LargestChunk / sizeof(float))
        {
            throw Other();
        }
        ParquetCheck.Pages(file, chunk);
        return precision switch
        {
            VectorPrecision.Float32 => Lists<float>(group, field, (int)values),
            VectorPrecision.Int8 => Lists<sbyte>(group, field, (int)values),
            _ => Strings(group, field, count),
        };
    }

    private byte[] Lists<T>(ParquetRowGroupReader group, DataField field, int count)
        where T : struct
    {
        var values = new T[count];
        var present = new int[count];
        var repeated = new int[count];
        group.ReadRawAsync(field, values.AsMemory(), present.AsMemory(), repeated.AsMemory()).AsTask().GetAwaiter().GetResult();
        for (int i = 0; i < count; i++)
        {
            if (present[i] != field.MaxDefinitionLevel || (repeated[i] == 0) != (i % _rowLength == 0))
            {
                throw Other();
            }
        }
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }

    private byte[] Strings(ParquetRowGroupReader group, DataField field, int count)
    {
        var values = new ReadOnlyMemory<byte>[count];
        group.ReadRawAsync(field, values.AsMemory(), null, null).AsTask().GetAwaiter().GetResult();
        var bytes = new byte[count * _rowLength];
        for (int i = 0; i < count; i++)
        {
            (values[i].Length == _rowLength ? values[i].Span : throw Other()).CopyTo(bytes.AsSpan(i * _rowLength));
        }
        return bytes;
    }

    private InvalidDataException Other() => new(string.Create(CultureInfo.InvariantCulture, $"it does not hold the {rows} vectors that its side file names"));
}
