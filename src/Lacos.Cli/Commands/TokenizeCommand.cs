using System.CommandLine;
using System.Globalization;
using System.Text;
using Lacos.Cli.Input;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos tokenize</c>: a file of texts in, one JSON array of token ids a line out.</summary>
/// <remarks>No prompt, no limit: the ids are those of the whole text, in time proportional to its length.</remarks>
internal sealed class TokenizeCommand(ToolStreams streams, ITokenizerSource source)
{
    private readonly InputOptions _input = new();
    private readonly Option<string> _output = new("--output", "-o") { Description = "Where the ids go: a .jsonl file, or - for standard output", HelpName = "path", DefaultValueFactory = _ => InputFile.Standard };
    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file, a model folder or a tokenizer.json; without it the built-in model", HelpName = "path" };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("tokenize", "Turn a file of texts into token ids, one JSON array a line.");
        _input.AddTo(command);
        command.Options.Add(_output);
        command.Options.Add(_model);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        OverwriteCheck.RefuseFile(output, parse.GetValue(_model), null, _input.Path(parse));
        (RecordReader records, int column) = await _input.OpenAsync(parse, streams, cancellationToken).ConfigureAwait(false);
        using RecordReader opened = records;
        Func<string, IReadOnlyList<int>> encode = source.OpenTokenizer(parse.GetValue(_model));
        using PendingFile? file = output == InputFile.Standard ? null : PendingFile.Create(output, standard: "-o -");
        Stream target = file is null ? streams.Output : file.Stream;
        await ProgressDisplay.RunAsync(streams, "Tokenizing", "texts", records.File.Length, async progress =>
        {
            long count = 0;
            await foreach (TextWindow window in WindowReader.ReadAsync(records, [column], withPlaces: false, cancellationToken).ConfigureAwait(false))
            {
                foreach (string? text in window.Rows)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    WriteIds(target, encode(text ?? ""));
                }
                target.Flush();
                progress.Report(count += window.Count, window.EndPosition);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        file?.Commit();
        InputOptions.WarnOfEncoding(records.File, streams);
        return ExitCode.Success;
    }

    private static void WriteIds(Stream target, IReadOnlyList<int> ids)
    {
        var line = new StringBuilder("[");
        for (int i = 0; i < ids.Count; i++)
        {
            line.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{ids[i]}");
        }
        target.Write(Encoding.ASCII.GetBytes(line.Append("]\n").ToString()));
    }
}
