using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>The files of a run's output folder, each of which appears whole or not at all.</summary>
internal static class RunFiles
{
    /// <summary>A line of JSON a step.</summary>
    public const string Log = "train-log.jsonl";

    /// <summary>The model with the adapter merged, which the tool writes.</summary>
    public const string Model = "model.lacos";

    /// <summary>The picture of the log, which the tool draws.</summary>
    public const string Curves = "train-curves.png";

    private static readonly string[] Names = [Log, Model, Curves, PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName];

    /// <summary>Refuses a folder where something stands that a finished file cannot replace: better now than after the last step.</summary>
    /// <exception cref="IOException">There is a folder, a pipe, a device or a socket.</exception>
    public static void RequireReplaceable(string folder)
    {
        foreach (string path in Names.Select(name => Path.Combine(folder, name)))
        {
            string? kind = Directory.Exists(path) ? "a folder" : FileStatus.SpecialKind(path);
            if (kind is not null)
            {
                throw new IOException($"'{path}' is {kind}, where a file of the run belongs. Move it away, or name another folder.");
            }
        }
    }

    /// <summary>Removes what a run that was killed has left half-written. For the run that holds the folder's lock.</summary>
    public static void RemoveLeftovers(string folder)
    {
        foreach (string name in Names)
        {
            AtomicFile.RemoveLeftovers(folder, name);
        }
    }
}
