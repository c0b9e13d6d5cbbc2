using System.Globalization;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace Lacos.Cli.Input.Parquet;

/// <summary>The rows of a Parquet file; columns hold texts or numbers. One row group of the wanted columns is in memory.</summary>
internal sealed class ParquetRecords : GroupedRecords
{
    private readonly ParquetReader _reader;
    private readonly DataField?[] _fields;
    private readonly long _rows;
    private int _group = -1;

    public ParquetRecords(InputFile file)
        : base(file)
    {
        (_reader, Columns, _fields, _rows) = Guarded(() =>
        {
            ParquetCheck.Footer(file.Binary);
            ParquetReader reader = ParquetReader.CreateAsync(file.Binary).GetAwaiter().GetResult();
            IReadOnlyList<Field> fields = reader.Schema.Fields;
            return (reader, (string[])[.. fields.Select(field => field.Name)], (DataField?[])[.. fields.Select(field => field as DataField)], reader.RowGroups.Sum(group => (long)CheckedRows(group.RowCount)));
        });
    }

    public override IReadOnlyList<string> Columns { get; }

    protected override string FormatName => "Parquet";

    protected override int NextGroup() => ++_group < _reader.RowGroupCount ? CheckedRows(_reader.RowGroups[_group].RowCount) : -1;

    protected override ColumnValues? Load(int column, int rows)
    {
        if (_fields[column] is not DataField field)
        {
            return null;
        }
        ParquetRowGroupReader group = _reader.RowGroups[_group];
        ColumnMetaData chunk = group.GetMetadata(field)?.MetaData ?? throw new InvalidDataException("a row group is without one of its columns");
        if (field.MaxRepetitionLevel > 0)
        {
            return null;
        }
        if (chunk.NumValues != rows)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a row group has {rows} rows and {chunk.NumValues} values in one of its columns"));
        }
        ParquetCheck.Pages(File.Binary, chunk);
        return ParquetColumn.Read(group, field, rows);
    }

    protected override string Kind(int column) =>
        _fields[column] is not DataField field ? "values made of others" : field.ClrType == typeof(ReadOnlyMemory<byte>) ? "byte arrays" : $"values of type {field.ClrType.Name}";

    protected override void OnRead() => File.Position = (long)((double)File.Length! * RowsRead / _rows);

    // As the metadata say.
    private static int CheckedRows(long rows) => rows is >= 0 and <= MostRows
        ? (int)rows
        : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a row group has {rows} rows, at most {MostRows} are read; write it with smaller row groups"));
}
