using System.Runtime.InteropServices;
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
    private readonly HeldVectors _held;

    public ParquetVectorWriter(string path, int dimension, VectorPrecision precision)
    {
        _held = new HeldVectors(dimension, precision, ElementsPerGroup);
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

    public override void WriteEncoded(ReadOnlySpan<byte> rows) => _held.AddEncoded(rows, WriteGroup);

    public override void Complete()
    {
        WriteGroup();

        // Writes the metadata at the end.
        _writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _file.Commit();
    }

    public override void Dispose() => _file.Dispose();

    protected override void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors) => _held.Add(vectors, WriteGroup);

    private void WriteGroup()
    {
        if (_held.Rows == 0)
        {
            return;
        }
        using ParquetRowGroupWriter group = _writer.CreateRowGroup();
        switch (_held.Precision)
        {
            case VectorPrecision.Float32:
                WriteLists<float>(group);
                break;
            case VectorPrecision.Int8:
                WriteLists<sbyte>(group);
                break;
            default:
                var rows = new ReadOnlyMemory<byte>[_held.Rows];
                for (int i = 0; i < rows.Length; i++)
                {
                    rows[i] = _held.Bytes.Slice(i * _held.RowBytes, _held.RowBytes);
                }
                group.WriteAsync<ReadOnlyMemory<byte>>(_field, rows.AsMemory()).GetAwaiter().GetResult();
                break;
        }
    }

    private void WriteLists<T>(ParquetRowGroupWriter group)
        where T : struct
    {
        T[] elements = MemoryMarshal.Cast<byte, T>(_held.Bytes.Span).ToArray();
        var present = new int[elements.Length];
        var repeated = new int[elements.Length];
        present.AsSpan().Fill(_field.MaxDefinitionLevel);
        repeated.AsSpan().Fill(_field.MaxRepetitionLevel);
        for (int row = 0; row < _held.Rows; row++)
        {
            repeated[row * (elements.Length / _held.Rows)] = 0;
        }
        group.WriteAllPartsAsync<T>(_field, elements.AsMemory(), present, repeated, default).GetAwaiter().GetResult();
    }
}
