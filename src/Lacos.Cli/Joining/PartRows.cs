using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using Lacos.Cli.Input.Arrow;
using Lacos.Cli.Output;

namespace Lacos.Cli.Joining;

/// <summary>Takes the vectors of a part out of its file and gives them to a writer, in the bytes they are written as.</summary>
/// <param name="path">The part.</param>
/// <param name="rows">Rows that it must have.</param>
/// <param name="dimension">Elements of a vector.</param>
/// <param name="precision">What they are written as.</param>
/// <param name="write">Takes whole rows.</param>
internal sealed class PartRows(string path, long rows, int dimension, VectorPrecision precision, Action<ReadOnlyMemory<byte>> write)
{
    private readonly int _rowBytes = precision.RowBytes(dimension);

    /// <summary>Reads the part to its end.</summary>
    /// <exception cref="InvalidDataException">It is not a file of these vectors, or has another number of them; the message is a clause.</exception>
    public void Read()
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        switch (VectorOutput.Ending(path))
        {
            case ".npy":
                ReadNpy(file);
                break;
            case ".parquet":
                new ParquetPart(file, rows, dimension, precision).Read(write);
                break;
            case ".jsonl":
                ReadLines(file);
                break;
            default:
                ReadArrow(file);
                break;
        }
    }

    private void ReadNpy(FileStream file)
    {
        byte[] expected = NpyWriter.Header(rows, dimension, precision);
        var header = new byte[expected.Length];
        file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (!header.AsSpan().SequenceEqual(expected) || (file.Length - header.Length) / _rowBytes != rows || (file.Length - header.Length) % _rowBytes != 0)
        {
            throw Other();
        }
        var buffer = new byte[Math.Max(1, (1 << 20) / _rowBytes) * _rowBytes];
        int read;
        while ((read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
        {
            write(buffer.AsMemory(0, read));
        }
    }

    private void ReadLines(FileStream file)
    {
        var buffer = new byte[1 << 20];
        long lines = 0;
        byte last = (byte)'\n';
        int read;
        while ((read = file.Read(buffer)) > 0)
        {
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
            last = buffer[read - 1];
            write(buffer.AsMemory(0, read));
        }
        if (lines != rows || last != (byte)'\n')
        {
            throw Other();
        }
    }

    private void ReadArrow(FileStream file)
    {
        using var reader = new ArrowStreamReader(new CheckedMessages(file), new ManagedAllocator(), compressionCodecFactory: null, leaveOpen: true);
        if (reader.Schema.FieldsList is not [var field] || !Holds(field.DataType))
        {
            throw Other();
        }
        long found = 0;
        while (reader.ReadNextRecordBatch() is RecordBatch batch)
        {
            ArrayData data = batch.Column(0).Data;
            ReadOnlyMemory<byte> bytes = (data.DataType is FixedSizeListType ? data.Children[0] : data).Buffers[1].Memory;
            write(bytes[..checked(batch.Length * _rowBytes)]);
            found += batch.Length;
        }
        if (found != rows)
        {
            throw Other();
        }
    }

    private bool Holds(IArrowType type) => precision switch
    {
        VectorPrecision.Binary => type is FixedSizeBinaryType bytes && bytes.ByteWidth == _rowBytes,
        VectorPrecision.Int8 => type is FixedSizeListType { ValueDataType: Int8Type } list && list.ListSize == dimension,
        _ => type is FixedSizeListType { ValueDataType: FloatType } list && list.ListSize == dimension,
    };

    private InvalidDataException Other() => new(string.Create(CultureInfo.InvariantCulture, $"it does not hold the {rows} vectors that its side file names"));
}
