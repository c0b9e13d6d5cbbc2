using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary>The options of every command that reads texts.</summary>
internal sealed class InputOptions
{
    private readonly Option<string> _input = new("--input", "-i")
    {
        Description = "Texts: .txt (one a line), .tsv, .csv or .jsonl, each also with .gz; .parquet; .arrow, .arrows, .feather; - for standard input", HelpName = "path", Required = true,
    };

    private readonly Option<string?> _column = new("--column", "-c") { Description = "Column with the texts, by name or number from 0. Default: 'text', 'sentence' or the only one", HelpName = "column" };
    private readonly Option<string?> _format = FormatOption();
    private readonly Option<bool> _noHeader = NoHeaderOption();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_input);
        command.Options.Add(_column);
        command.Options.Add(_format);
        command.Options.Add(_noHeader);
    }

    /// <summary>Path given.</summary>
    public string Path(ParseResult parse) => parse.GetRequiredValue(_input);

    /// <summary>Opens the file and finds its column of texts.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="streams">Where standard input is.</param>
    /// <param name="cancellationToken">Ends the wait for a header.</param>
    /// <param name="isHashed">Whether the hash of the file will be asked for.</param>
    public Task<(RecordReader Records, int Column)> OpenAsync(ParseResult parse, ToolStreams streams, CancellationToken cancellationToken, bool isHashed = false) =>
        RecordReader.OpenAsync(() => Open(parse, streams, isHashed), cancellationToken);

    /// <summary>How the file is read, under the names used in every file the tool writes.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="column">Column with the texts, from 0.</param>
    public JsonObject Describe(ParseResult parse, int column) => new()
    {
        ["input"] = System.IO.Path.GetFileName(Path(parse)),
        ["input_format"] = TextFormats.Name(TextFormats.Of(Path(parse), parse.GetValue(_format))),
        ["input_header"] = !parse.GetValue(_noHeader),
        ["input_column"] = column,
    };

    private (RecordReader Records, int Column) Open(ParseResult parse, ToolStreams streams, bool isHashed)
    {
        RecordReader records = RecordReader.Open(Path(parse), parse.GetValue(_format), !parse.GetValue(_noHeader), streams.Input, isHashed);
        try
        {
            return (records, TextColumn.Choose(records, parse.GetValue(_column)));
        }
        catch
        {
            records.Dispose();
            throw;
        }
    }

    /// <summary>Says how much of the input was not UTF-8, or looks as if it were not.</summary>
    public static void WarnOfEncoding(InputFile file, ToolStreams streams)
    {
        if (file.InvalidSequences > 0)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{file.DisplayName} is not valid UTF-8 in {file.InvalidSequences:N0} place(s); U+FFFD stands there now. If it is in another encoding, convert it first."));
        }
        if (file.NulCharacters > 0)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{file.DisplayName} has {file.NulCharacters:N0} NUL character(s), as UTF-16 without a byte order mark has when it is read as UTF-8. If it is in another encoding, convert it first."));
        }
    }

    internal static Option<string?> FormatOption()
    {
        var option = new Option<string?>("--format") { Description = $"Format of the input, where its name does not tell: {string.Join(", ", TextFormats.Names)}", HelpName = "name" };
        option.AcceptOnlyFromAmong(TextFormats.Names);
        return option;
    }

    internal static Option<bool> NoHeaderOption() => new("--no-header") { Description = "The first line of the .tsv or .csv is data; columns go by number" };
}
