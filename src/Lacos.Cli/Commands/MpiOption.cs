using System.CommandLine;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Lacos.Cli.Commands;

/// <summary><c>--mpi</c>: the processes of a launcher do one thing together, and rank 0 speaks and writes for all.</summary>
internal sealed class MpiOption(ToolStreams streams)
{
    /// <summary>The option.</summary>
    public Option<bool> Option { get; } = new("--mpi") { Description = "Train together with the other processes that mpirun or srun has started, each on its part of every batch" };

    /// <summary>Does it, with the others if asked to.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="action">Given the group, or null alone.</param>
    /// <param name="cancellationToken">Cancelled by a signal.</param>
    /// <returns>An exit code.</returns>
    public int Run(ParseResult parse, Func<MpiProcessGroup?, int> action, CancellationToken cancellationToken)
    {
        if (!parse.GetValue(Option))
        {
            return MpiLaunch.Processes > 1
                ? throw new UsageException($"The launcher has started {MpiLaunch.Processes} processes, each of which would do the same alone. Give {Option.Name} too, or start one.")
                : action(null);
        }
        MpiProcessGroup group = Start();
        streams.OnlyErrors = group.Rank != 0;
        streams.Note($"Rank 0 of {group.Count}, {group.Library}.");
        try
        {
            int exitCode = action(group);
            group.Dispose();
            return exitCode;
        }
        catch (OperationCanceledException error)
        {
            // All ranks have agreed to stop, and rank 0 has written its checkpoint.
            if (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            streams.Note(error.Message);
            return ExitCode.Terminated;
        }
        catch (Exception error)
        {
            // The others may be waiting for this rank and would wait for ever.
            int exitCode = LacosTool.Report(error, streams);
            group.Abort(exitCode);
            return exitCode;
        }
    }

    private static MpiProcessGroup Start()
    {
        try
        {
            return MpiProcessGroup.Start();
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new ToolException(error.Message, error);
        }
    }
}
