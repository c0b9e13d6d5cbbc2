using System.Globalization;

namespace Lacos.Cli.Input;

/// <summary>One text a line.</summary>
internal sealed class LineRecords(InputFile file) : RecordReader(file)
{
    private readonly LineReader _lines = new(file.Text, file.DisplayName);

    public override IReadOnlyList<string> Columns { get; } = ["text"];

    public override string Place => string.Create(CultureInfo.InvariantCulture, $"Line {_lines.LineNumber} of {File.DisplayName}");

    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        string? line = _lines.Read();
        values.Fill(line);
        return line is not null;
    }
}
