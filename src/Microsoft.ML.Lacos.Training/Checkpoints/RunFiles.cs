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

    /// <summary>Removes what a run that was killed has left half-written. For the run that holds the folder's lock.</summary>
    public static void RemoveLeftovers(string folder)
    {
        foreach (string name in new[] { Log, Model, Curves, PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName })
        {
            AtomicFile.RemoveLeftovers(folder, name);
        }
    }
}
