using System.CommandLine;
using System.Globalization;
using Lacos.Cli.Input;
using Lacos.Cli.Joining;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos join</c>: the parts of runs with <c>--shard</c> in, the file of one run without it out.</summary>
internal sealed class JoinCommand(ToolStreams streams)
{
    private readonly Option<string> _output = new("--output", "-o") { Description = $"The vectors to write, in the format of the parts: {VectorOutput.Endings}", HelpName = "path", Required = true };
    private readonly Option<int> _parts = new("--parts", "-n") { Description = "How many parts there are, the n of --shard i/n", HelpName = "n", Required = true };
    private readonly Option<string?> _input = new("--input", "-i") { Description = "What the runs with --shard were given as --output; without it the same as here", HelpName = "path" };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("join", "Join the parts of lacos embed --shard into the file of one run.");
        command.Options.Add(_output);
        command.Options.Add(_parts);
        command.Options.Add(_input);
        ModelOptions.Bounded(_parts, count => count is >= 1 and <= Shard.Most, $"a whole number from 1 to {Shard.Most}");
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        string name = parse.GetValue(_input) ?? output;
        if (output == InputFile.Standard || name == InputFile.Standard)
        {
            throw new UsageException("Parts are joined from files into a file, which - is not. Give names.");
        }
        VectorOutput.RequireKnown(output);
        if (VectorOutput.Ending(output) != VectorOutput.Ending(name))
        {
            throw new UsageException($"'{name}' and '{output}' are of two formats; parts are joined as they are. Give the output a name ending in {VectorOutput.Ending(name)}.");
        }
        PartSet parts = PartSet.Of(name, parse.GetValue(_parts));
        foreach (string written in new[] { output, SideFile.PathFor(output) })
        {
            OverwriteCheck.RefuseFile(written, null, null, parts.Paths.Concat(parts.Paths.Select(SideFile.PathFor)));
        }
        SideFile.RefuseOther(output);
        await ProgressDisplay.RunAsync(
            streams, "Joining", "vectors", parts.Paths.Sum(path => new FileInfo(path).Length), progress => Task.Run(() => Join(parts, output, progress, cancellationToken), cancellationToken)).ConfigureAwait(false);
        streams.Note(string.Create(CultureInfo.InvariantCulture, $"{parts.Rows.Sum():N0} vectors of {parts.Paths.Count} part(s) in '{output}'"));
        return ExitCode.Success;
    }

    private static void Join(PartSet parts, string output, ProgressDisplay progress, CancellationToken cancellationToken)
    {
        using VectorWriter writer = VectorOutput.Open(output, (Stream.Null, ""), parts.Dimension, parts.Precision, () => parts.Description);
        long done = 0;
        for (int i = 0; i < parts.Paths.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            parts.RequireUndamaged(i);
            Read(parts, i, bytes =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                writer.WriteEncoded(bytes.Span);
            });
            writer.CountEncoded(parts.Rows[i]);
            done += new FileInfo(parts.Paths[i]).Length;
            progress.Report(writer.Count, done);
        }
        VectorOutput.Complete(writer, output, () => parts.Description);
    }

    private static void Read(PartSet parts, int index, Action<ReadOnlyMemory<byte>> write)
    {
        try
        {
            new PartRows(parts.Paths[index], parts.Rows[index], parts.Dimension, parts.Precision, write).Read();
        }
        catch (Exception error) when (error is not (OperationCanceledException or OutOfMemoryException or UnauthorizedAccessException or IOException))
        {
            throw new InvalidDataException($"'{parts.Paths[index]}' cannot be joined: {error.Message.TrimEnd('.')}. Run lacos embed with --shard {index + 1}/{parts.Paths.Count} --force.", error);
        }
    }
}
