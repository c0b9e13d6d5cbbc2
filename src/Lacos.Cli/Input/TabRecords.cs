using System.Globalization;

namespace Lacos.Cli.Input;

/// <summary>Fields between tabs. A quotation mark is an ordinary character; a field can hold neither a tab nor a line feed.</summary>
/// <remarks>
/// An empty line is skipped where there are several columns, and is an empty text where there is one. Without a header, a line may have more fields than the first
/// (as those of the STS benchmark do), for a reader who does not want all columns and so has chosen some.
/// </remarks>
internal sealed class TabRecords : RecordReader
{
    private readonly LineReader _lines;
    private readonly bool _hasHeader;
    private string? _firstLine;

    public TabRecords(InputFile file, bool hasHeader)
        : base(file)
    {
        _hasHeader = hasHeader;
        _lines = new LineReader(file.Text, file.DisplayName);
        string? first = _lines.Read();
        if (first is null && hasHeader)
        {
            throw NoHeader();
        }
        _firstLine = hasHeader ? null : first;
        string[] fields = (first ?? "").Split('\t');
        FirstFields = fields;
        Columns = hasHeader ? fields : Numbers(fields.Length);
    }

    public override IReadOnlyList<string> Columns { get; }

    public override string Place => string.Create(CultureInfo.InvariantCulture, $"Line {_lines.LineNumber} of {File.DisplayName}");

    protected override IReadOnlyList<string> FirstFields { get; }

    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        string? line;
        do
        {
            line = _firstLine ?? _lines.Read();
            _firstLine = null;
        }
        while (line is { Length: 0 } && Columns.Count > 1);
        if (line is null)
        {
            return false;
        }
        string[] fields = line.Split('\t');
        if (fields.Length > Columns.Count && (_hasHeader || columns.Length == Columns.Count))
        {
            throw TooManyFields(fields.Length, "A text in a .tsv file cannot hold a tab; write such texts as .csv or .jsonl.");
        }
        for (int i = 0; i < columns.Length; i++)
        {
            values[i] = columns[i] < fields.Length ? fields[columns[i]] : throw MissingField(columns[i], fields.Length);
        }
        return true;
    }
}
