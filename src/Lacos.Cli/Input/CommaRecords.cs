using System.Globalization;
using Sylvan.Data.Csv;

namespace Lacos.Cli.Input;

/// <summary>Comma-separated values (RFC 4180): a field with a comma, a line break or a quotation mark in it stands in quotation marks.</summary>
/// <remarks>An empty line is skipped where there are several columns, and is an empty text where there is one.</remarks>
internal sealed class CommaRecords : RecordReader
{
    private readonly CsvDataReader _csv;
    private readonly bool _hasHeader;
    private bool _isAhead;

    public CommaRecords(InputFile file, bool hasHeader)
        : base(file)
    {
        _hasHeader = hasHeader;
        var options = new CsvDataReaderOptions { HasHeaders = hasHeader, Delimiter = ',', BufferSize = 1 << 16, MaxBufferSize = LineReader.LongestLine, HeaderComparer = StringComparer.Ordinal };
        try
        {
            _csv = CsvDataReader.Create(file.Text, options);
            _isAhead = !hasHeader && _csv.Read();
        }
        catch (CsvMissingHeadersException)
        {
            throw NoHeader();
        }
        catch (FormatException error)
        {
            throw new InvalidDataException($"The first line of {file.DisplayName} is not valid CSV: {error.Message}", error);
        }
        FirstFields = [.. Enumerable.Range(0, hasHeader || _isAhead ? _csv.FieldCount : 0).Select(column => hasHeader ? _csv.GetName(column) : _csv.GetString(column))];
        Columns = hasHeader ? FirstFields : Numbers(_csv.FieldCount);
    }

    public override IReadOnlyList<string> Columns { get; }

    // A record may span lines, so records are counted.
    public override string Place => string.Create(CultureInfo.InvariantCulture, $"Record {_csv.RowNumber} {(_hasHeader ? "after the header " : "")}of {File.DisplayName}");

    protected override IReadOnlyList<string> FirstFields { get; }

    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        try
        {
            do
            {
                if (!_isAhead && !_csv.Read())
                {
                    return false;
                }
                _isAhead = false;
            }
            while (Columns.Count > 1 && _csv.RowFieldCount == 1 && _csv.GetFieldSpan(0).IsEmpty);
            if (_csv.RowFieldCount > Columns.Count)
            {
                throw TooManyFields(_csv.RowFieldCount, "Put a text with a comma in it in quotation marks, and double those inside it.");
            }
            for (int i = 0; i < columns.Length; i++)
            {
                values[i] = columns[i] < _csv.RowFieldCount ? _csv.GetString(columns[i]) : throw MissingField(columns[i], _csv.RowFieldCount);
            }
            return true;
        }
        catch (FormatException error)
        {
            throw new InvalidDataException($"{Place}, or the one after it, is not valid CSV: {error.Message}", error);
        }
    }
}
