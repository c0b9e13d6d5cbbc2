using Apache.Arrow;
using Apache.Arrow.Compression;
using Apache.Arrow.Ipc;

namespace Lacos.Cli.Input.Arrow;

/// <summary>The rows of an Arrow file or stream; columns hold texts or numbers. One record batch is in memory, and the dictionaries.</summary>
internal sealed class ArrowRecords : GroupedRecords
{
    private readonly ArrowStreamReader _reader;
    private readonly Schema _schema;
    private RecordBatch? _batch;

    public ArrowRecords(InputFile file)
        : base(file)
    {
        (_reader, _schema) = Guarded(() =>
        {
            var reader = new ArrowStreamReader(new CheckedMessages(file.Bytes), new ManagedAllocator(), new CompressionCodecFactory(), leaveOpen: true);
            return (reader, reader.Schema);
        });
        Columns = [.. _schema.FieldsList.Select(field => field.Name)];
    }

    public override IReadOnlyList<string> Columns { get; }

    protected override string FormatName => "Arrow";

    protected override int NextGroup()
    {
        _batch = null;
        _batch = Guarded(_reader.ReadNextRecordBatch);
        return _batch is null ? -1 : _batch.Length;
    }

    protected override ColumnValues? Load(int column, int rows)
    {
        IArrowArray array = _batch!.Column(column);
        return array.Length == rows ? ArrowColumn.Of(array) : throw new InvalidDataException($"a batch of {rows} rows has {array.Length} values in one of its columns");
    }

    protected override string Kind(int column) => $"values of type {_schema.GetFieldByIndex(column).DataType.Name}";
}
