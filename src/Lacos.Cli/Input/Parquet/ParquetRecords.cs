using System.Globalization;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace Lacos.Cli.Input.Parquet;

/// <summary>The rows of a Parquet file; columns hold texts or numbers. One row group of the wanted columns is in memory.</summary>
internal sealed class ParquetRecords : RecordReader
{
    private readonly ParquetReader _reader;
    private readonly DataField?[] _fields;
    private readonly Dictionary<int, ParquetColumn> _loaded = [];
    private readonly long _rows;
    private int _group = -1;
    private int _groupRows;
    private int _next;
    private long _before;

    public ParquetRecords(InputFile file)
        : base(file)
    {
        (_reader, Columns, _fields, _rows) = Guarded(() =>
        {
            ParquetCheck.Footer(file.Binary);
            ParquetReader reader = ParquetReader.CreateAsync(file.Binary).GetAwaiter().GetResult();
            IReadOnlyList<Field> fields = reader.Schema.Fields;
            return (reader, (string[])[.. fields.Select(field => field.Name)], (DataField?[])[.. fields.Select(field => field as DataField)], reader.RowGroups.Sum(group => (long)RowsOf(group)));
        });
    }

    public override IReadOnlyList<string> Columns { get; }

    public override string Place => string.Create(CultureInfo.InvariantCulture, $"Row {_before + _next} of {File.DisplayName}");

    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        if (!NextGroup())
        {
            return false;
        }
        for (int i = 0; i < columns.Length; i++)
        {
            values[i] = Column(columns[i])[_next];
        }
        _next++;
        File.Position = (long)((double)File.Length! * (_before + _next) / _rows);
        return true;
    }

    public override long Skip(long count, ReadOnlySpan<int> columns, Span<string?> values)
    {
        long skipped = 0;
        while (skipped < count && NextGroup())
        {
            int here = (int)Math.Min(count - skipped, _groupRows - _next);
            _next += here;
            skipped += here;
        }
        return skipped;
    }

    // Goes to the group of the next row; its columns are read when they are asked for.
    private bool NextGroup()
    {
        while (_next == _groupRows)
        {
            if (_group + 1 >= _reader.RowGroupCount)
            {
                return false;
            }
            _loaded.Clear();
            _group++;
            (_before, _next) = (_before + _groupRows, 0);
            _groupRows = RowsOf(_reader.RowGroups[_group]);
        }
        return true;
    }

    private ParquetColumn Column(int index)
    {
        if (!_loaded.TryGetValue(index, out ParquetColumn? column))
        {
            column = Guarded(() => Load(index)) ?? throw new InvalidDataException(
                $"The column '{Columns[index]}' of {File.DisplayName} holds {Kind(_fields[index])} where texts (or numbers, for a score) were expected. Name another column, or cast it to a string column.");
            _loaded.Add(index, column);
        }
        return column;
    }

    private ParquetColumn? Load(int index)
    {
        if (_fields[index] is not DataField field)
        {
            return null;
        }
        ParquetRowGroupReader group = _reader.RowGroups[_group];
        ColumnMetaData chunk = group.GetMetadata(field)?.MetaData ?? throw new InvalidDataException("a row group is without one of its columns");
        if (field.MaxRepetitionLevel > 0)
        {
            return null;
        }
        if (chunk.NumValues != _groupRows)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a row group has {_groupRows} rows and {chunk.NumValues} values in one of its columns"));
        }

        // Where the reader begins, too.
        long start = new[] { chunk.DictionaryPageOffset ?? 0, chunk.DataPageOffset, chunk.IndexPageOffset ?? 0 }.Where(offset => offset != 0).DefaultIfEmpty(0).Min();
        ParquetCheck.Pages(File.Binary, start, chunk.NumValues);
        return ParquetColumn.Read(group, field, _groupRows);
    }

    private static int RowsOf(ParquetRowGroupReader group) => group.RowCount is >= 0 and <= ParquetCheck.MostRows
        ? (int)group.RowCount
        : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a row group has {group.RowCount} rows, at most {ParquetCheck.MostRows} are read; write it with smaller row groups"));

    private static string Kind(DataField? field) => field is null ? "values made of others" : field.ClrType == typeof(ReadOnlyMemory<byte>) ? "byte arrays" : $"values of type {field.ClrType.Name}";

    // The parser says in many ways that bytes make no sense to it, out of range among them.
    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is not (OutOfMemoryException or UnauthorizedAccessException))
        {
            throw new InvalidDataException($"{File.DisplayName} cannot be read as Parquet: {error.Message.TrimEnd('.')}. Check that it is whole, and write or fetch it again.", error);
        }
    }
}
