using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.Json;
using Lacos.Cli.Commands;
using Lacos.Cli.Download;
using Lacos.Cli.Models;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli;

/// <summary>The whole tool: command line in, exit code out.</summary>
internal static class LacosTool
{
    /// <summary>Parses a command line and does what it says.</summary>
    /// <param name="arguments">The command line, without the tool's name.</param>
    /// <param name="streams">Where to read and write.</param>
    /// <param name="models">Opens models.</param>
    /// <param name="tokenizers">Opens tokenizers.</param>
    /// <param name="cancellationToken">Cancelled by a signal.</param>
    /// <param name="download">Surroundings of downloads; <see langword="null"/> for the process's own.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    /// <exception cref="OperationCanceledException">A signal came; nothing was left behind.</exception>
    public static async Task<int> RunAsync(string[] arguments, ToolStreams streams, IModelSource models, ITokenizerSource tokenizers, CancellationToken cancellationToken, DownloadSettings? download = null)
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No notes and no progress on standard error; warnings and errors only", Recursive = true };
        var root = new RootCommand("Sentence vectors from an 8-bit BLOOM: embed texts, fetch, measure and convert models.")
        {
            new EmbedCommand(streams, models).Create(),
            new JoinCommand(streams).Create(),
            new TrainCommand(streams).Create(),
            new EvalCommand(streams, models).Create(),
            new SimilarityCommand(streams, models).Create(),
            new QuantizeCommand(streams).Create(),
            new PackCommand(streams).Create(),
            new ExportCommand(streams).Create(),
            new MineCommand(streams, models).Create(),
            new TokenizeCommand(streams, tokenizers).Create(),
            new DownloadCommand(streams, download ?? new DownloadSettings()).Create(),
            new InfoCommand(streams).Create(),
        };
        root.Options.Add(quiet);

        // A text may begin with @; without this it would be taken for the name of a file of arguments.
        ParseResult parse = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parse.Action is ParseErrorAction)
        {
            return ReportUsage(parse, streams);
        }
        streams.Quiet = parse.GetValue(quiet);
        if (EncoderThreads.Problem(Environment.GetEnvironmentVariable("LACOS_NUM_THREADS")) is string problem)
        {
            streams.Warn(problem);
        }
        try
        {
            using var output = new StreamWriter(streams.Output, leaveOpen: true) { AutoFlush = true, NewLine = "\n" };
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = output, Error = streams.Error };
            int exitCode = await parse.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
            streams.Output.Flush();
            return exitCode;
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return Report(error, streams);
        }
    }

    private static int ReportUsage(ParseResult parse, ToolStreams streams)
    {
        foreach (string message in parse.Errors.Select(error => error.Message).Distinct(StringComparer.Ordinal))
        {
            streams.Fail(message);
        }
        string command = string.Join(' ', CommandNames(parse));
        streams.Error.WriteLine($"See: {command} --help");
        return ExitCode.Usage;
    }

    private static Stack<string> CommandNames(ParseResult parse)
    {
        var names = new Stack<string>();
        for (SymbolResult? result = parse.CommandResult; result is CommandResult command; result = command.Parent)
        {
            names.Push(command.Command is RootCommand ? "lacos" : command.Command.Name);
        }
        return names;
    }

    /// <summary>Says why something failed.</summary>
    /// <returns>The exit code of that.</returns>
    internal static int Report(Exception error, ToolStreams streams)
    {
        if (IsBrokenPipe(error))
        {
            // Whoever read the output has seen enough (`lacos ... | head`).
            return ExitCode.Success;
        }
        switch (error)
        {
            case UsageException:
                streams.Fail(error.Message);
                return ExitCode.Usage;
            case ToolException or IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException or JsonException or NotSupportedException or InvalidOperationException or OutOfMemoryException or DllNotFoundException:
                streams.Fail(FullDisk.IsCause(error) ? FullDisk.Message(error.Message) : error.Message);
                return ExitCode.Failed;
            default:
                streams.Fail($"unexpected error: {error}");
                return ExitCode.Failed;
        }
    }

    private static bool IsBrokenPipe(Exception error)
    {
        // ERROR_BROKEN_PIPE and ERROR_NO_DATA on Windows.
        return error is IOException { HResult: StandardOutput.BrokenPipe or unchecked((int)0x8007006D) or unchecked((int)0x800700E8) };
    }
}
