using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;

namespace Lacos.Cli.Output;

/// <summary>
/// Writes Arrow IPC with one column <c>embedding</c>: lists of one length of floats or of 8-bit integers, or, of sign bits, byte strings of one length; what the vectors are stands in the schema's metadata.
/// </summary>
/// <remarks>Batches have a fixed number of rows, as row groups of Parquet have. Vectors do not compress, and are not.</remarks>
internal sealed class ArrowVectorWriter : VectorWriter
{
    // 4 MiB of floats.
    private const int ElementsPerBatch = 1 << 20;

    private readonly PendingFile? _file;
    private readonly ArrowStreamWriter _writer;
    private readonly Schema _schema;
    private readonly HeldVectors _held;
    private bool _hasBatch;

    private ArrowVectorWriter(PendingFile? file, Stream stream, bool isStream, int dimension, VectorPrecision precision, IReadOnlyDictionary<string, string> facts)
    {
        _file = file;
        _held = new HeldVectors(dimension, precision, ElementsPerBatch);
        _schema = new Schema([new Field("embedding", TypeOf(dimension, precision), nullable: false)], facts);
        _writer = isStream ? new ArrowStreamWriter(stream, _schema, leaveOpen: true) : new ArrowFileWriter(stream, _schema, leaveOpen: true);
        _writer.WriteStart();
    }

    /// <summary>Writes to a file: a stream where its name ends in <c>.arrows</c>, else a file that can be read in any order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimension">Elements of a vector.</param>
    /// <param name="precision">What they are written as.</param>
    /// <param name="facts">The schema's metadata.</param>
    public static ArrowVectorWriter ToFile(string path, int dimension, VectorPrecision precision, IReadOnlyDictionary<string, string> facts)
    {
        PendingFile file = PendingFile.Create(path, standard: "--output - --output-format arrows");
        try
        {
            return new ArrowVectorWriter(file, file.Stream, Path.GetExtension(path).Equals(".arrows", StringComparison.OrdinalIgnoreCase), dimension, precision, facts);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes to a stream that is already open, such as standard output.</summary>
    public static ArrowVectorWriter ToStream(Stream stream, int dimension, VectorPrecision precision, IReadOnlyDictionary<string, string> facts) =>
        new(null, stream, isStream: true, dimension, precision, facts);

    public override void WriteEncoded(ReadOnlySpan<byte> rows) => _held.AddEncoded(rows, WriteBatch);

    public override void Complete()
    {
        // A file without any batch would have its schema behind its end alone, where not every reader looks.
        if (_held.Rows > 0 || !_hasBatch)
        {
            WriteBatch();
        }
        _writer.WriteEnd();
        _file?.Commit();
    }

    public override void Dispose()
    {
        _writer.Dispose();
        _file?.Dispose();
    }

    protected override void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors) => _held.Add(vectors, WriteBatch);

    private static IArrowType TypeOf(int dimension, VectorPrecision precision) => precision == VectorPrecision.Binary
        ? new FixedSizeBinaryType(precision.RowBytes(dimension))
        : new FixedSizeListType(new Field("item", precision == VectorPrecision.Int8 ? Int8Type.Default : FloatType.Default, nullable: false), dimension);

    private void WriteBatch()
    {
        _hasBatch = true;
        IArrowType type = _schema.GetFieldByIndex(0).DataType;
        var values = new ArrowBuffer(_held.Bytes);
        ArrayData data = type is FixedSizeListType list
            ? new ArrayData(type, _held.Rows, 0, 0, [ArrowBuffer.Empty], [new ArrayData(list.ValueDataType, _held.Rows * list.ListSize, 0, 0, [ArrowBuffer.Empty, values])])
            : new ArrayData(type, _held.Rows, 0, 0, [ArrowBuffer.Empty, values]);
        using var batch = new RecordBatch(_schema, [ArrowArrayFactory.BuildArray(data)], _held.Rows);
        _writer.WriteRecordBatch(batch);
    }
}
