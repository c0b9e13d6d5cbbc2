using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Input;

/// <summary>One JSON value a line: objects, whose keys are the columns, or bare strings. Empty lines are skipped.</summary>
internal sealed class JsonRecords : RecordReader
{
    // The parser quotes what it stumbles over.
    private const int LongestReason = 200;

    private readonly LineReader _lines;
    private readonly bool _bare;
    private string? _firstLine;

    public JsonRecords(InputFile file)
        : base(file)
    {
        _lines = new LineReader(file.Text, file.DisplayName);
        _firstLine = NextLine();
        if (_firstLine is null)
        {
            Columns = ["text"];
            return;
        }
        using JsonDocument first = Parse(_firstLine);
        _bare = first.RootElement.ValueKind == JsonValueKind.String;
        Columns = _bare ? ["text"] : Names(Object(first));
    }

    public override IReadOnlyList<string> Columns { get; }

    public override string Place => string.Create(CultureInfo.InvariantCulture, $"Line {_lines.LineNumber} of {File.DisplayName}");

    public override bool Read(ReadOnlySpan<int> columns, Span<string?> values)
    {
        string? line = _firstLine ?? NextLine();
        _firstLine = null;
        if (line is null)
        {
            return false;
        }
        using JsonDocument document = Parse(line);
        if (_bare)
        {
            values.Fill(Value(document.RootElement));
            return true;
        }
        JsonElement record = Object(document);
        for (int i = 0; i < columns.Length; i++)
        {
            string name = Columns[columns[i]];
            values[i] = Value(Property(record, name) ?? throw new InvalidDataException($"{Place} has no key '{InMessage(name)}'. Add it (null for a missing text), or name another with --column."));
        }
        return true;
    }

    private string? NextLine()
    {
        string? line;
        do
        {
            line = _lines.Read();
        }
        while (line is not null && string.IsNullOrWhiteSpace(line));
        return line;
    }

    private JsonDocument Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{Place} is not valid JSON: {TextInMessage.Of(error.Message, LongestReason)} A .jsonl file holds one whole JSON value a line.", error);
        }
    }

    private JsonElement Object(JsonDocument document) => document.RootElement.ValueKind == JsonValueKind.Object
        ? document.RootElement
        : throw new InvalidDataException($"{Place} holds a JSON {Kind(document.RootElement)} where an object was expected, for example {{\"text\": \"...\"}}.");

    private string[] Names(JsonElement record)
    {
        try
        {
            return [.. record.EnumerateObject().Select(property => property.Name).Distinct(StringComparer.Ordinal)];
        }
        catch (InvalidOperationException error)
        {
            throw NotUnicode("key", error);
        }
    }

    private JsonElement? Property(JsonElement record, string name)
    {
        try
        {
            return record.TryGetProperty(name, out JsonElement value) ? value : null;
        }
        catch (InvalidOperationException error)
        {
            throw NotUnicode("key", error);
        }
    }

    private string? Value(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.Null => null,
                _ => throw new InvalidDataException($"{Place} holds a JSON {Kind(value)} where a text (or a number, for a score) was expected."),
            };
        }
        catch (InvalidOperationException error)
        {
            throw NotUnicode("text", error);
        }
    }

    // An escape such as \ud800 without its other half.
    private InvalidDataException NotUnicode(string what, InvalidOperationException error) => new($"{Place} holds a {what} that is not valid Unicode: {error.Message}", error);

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();
}
