using Microsoft.ML.Lacos.Pipeline;
using Parquet;
using Parquet.Schema;

namespace Lacos.Cli.Output;

/// <summary>Writes Parquet with one column <c>embedding</c>: lists of floats or of 8-bit integers, or, of sign bits, byte strings of one length.</summary>
/// <remarks>Row groups have a fixed number of rows, whatever windows the rows come in, so that the same rows make the same file. Vectors do not compress, and are not.</remarks>
internal sealed class ParquetVectorWriter : VectorWriter
{
    // Vector elements of a row group: the levels that Parquet keeps beside lists take eight bytes each while they are written.
    private const int ElementsPerGroup = 1 << 22;

    private readonly PendingFile _file;
    private readonly ParquetWriter _writer;
    private readonly DataField _field;
    private readonly int _dimension;
    private readonly VectorPrecision _precision;
    private readonly int _rowLength;
    private readonly int _rowsPerGroup;
    private float[] _floats = [];
    private sbyte[] _codes = [];
    private byte[] _bytes = [];
    private int _held;

    public ParquetVectorWriter(string path, int dimension, VectorPrecision precision)
    {
        (_dimension, _precision, _rowLength) = (dimension, precision, precision.ElementCount(dimension));
        _rowsPerGroup = Math.Max(1, ElementsPerGroup / _rowLength);
        ParquetSchema schema = precision switch
        {
            VectorPrecision.Float32 => new ParquetSchema(new ListField("embedding", new DataField<float>(ListField.ElementName))),
            VectorPrecision.Int8 => new ParquetSchema(new ListField("embedding", new DataField<sbyte>(ListField.ElementName))),
            _ => new ParquetSchema(new DataField("embedding", typeof(byte[]), isNullable: false)),
        };
        _field = schema.DataFields[0];
        _file = PendingFile.Create(path);
        try
        {
            _writer = ParquetWriter.CreateAsync(schema, _file.Stream, new ParquetOptions { CompressionMethod = CompressionMethod.None }).GetAwaiter().GetResult();
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public override void Complete()
    {
        WriteGroup();

        // Writes the metadata at the end.
        _writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _file.Commit();
    }

    public override void Dispose() => _file.Dispose();

    protected override void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors)
    {
        for (int i = 0; i < texts.Length; i++)
        {
            Hold(vectors.Slice(i * _dimension, _dimension));
            if (++_held == _rowsPerGroup)
            {
                WriteGroup();
            }
        }
    }

    private void Hold(ReadOnlySpan<float> vector)
    {
        int start = _held * _rowLength;
        switch (_precision)
        {
            case VectorPrecision.Float32:
                vector.CopyTo(Room(ref _floats, start));
                break;
            case VectorPrecision.Int8:
                VectorFormat.ToInt8(vector, Room(ref _codes, start));
                break;
            default:
                VectorFormat.ToBinary(vector, Room(ref _bytes, start));
                break;
        }
    }

    // Grows with the rows, so that few rows take little memory.
    private Span<T> Room<T>(ref T[] held, int start)
    {
        if (held.Length < start + _rowLength)
        {
            Array.Resize(ref held, Math.Min(_rowsPerGroup * _rowLength, Math.Max(start + _rowLength, 2 * held.Length)));
        }
        return held.AsSpan(start, _rowLength);
    }

    private void WriteGroup()
    {
        if (_held == 0)
        {
            return;
        }
        using ParquetRowGroupWriter group = _writer.CreateRowGroup();
        switch (_precision)
        {
            case VectorPrecision.Float32:
                WriteLists(group, _floats);
                break;
            case VectorPrecision.Int8:
                WriteLists(group, _codes);
                break;
            default:
                var rows = new ReadOnlyMemory<byte>[_held];
                for (int i = 0; i < rows.Length; i++)
                {
                    rows[i] = _bytes.AsMemory(i * _rowLength, _rowLength);
                }
                group.WriteAsync<ReadOnlyMemory<byte>>(_field, rows.AsMemory()).GetAwaiter().GetResult();
                break;
        }
        _held = 0;
    }

    private void WriteLists<T>(ParquetRowGroupWriter group, T[] elements)
        where T : struct
    {
        int count = _held * _rowLength;
        var present = new int[count];
        var repeated = new int[count];
        present.AsSpan().Fill(_field.MaxDefinitionLevel);
        repeated.AsSpan().Fill(_field.MaxRepetitionLevel);
        for (int row = 0; row < _held; row++)
        {
            repeated[row * _rowLength] = 0;
        }
        group.WriteAllPartsAsync<T>(_field, elements.AsMemory(0, count), present, repeated, default).GetAwaiter().GetResult();
    }
}
