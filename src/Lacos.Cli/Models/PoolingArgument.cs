using Microsoft.ML.Lacos.Bloom;

namespace Lacos.Cli.Models;

/// <summary>Names of the pooling modes on the command line and in files: those of sentence-transformers.</summary>
internal static class PoolingArgument
{
    private static readonly (string Name, PoolingModes Mode)[] Names =
    [
        ("cls", PoolingModes.FirstToken), ("max", PoolingModes.Max), ("mean", PoolingModes.Mean),
        ("mean_sqrt_len_tokens", PoolingModes.MeanSqrtLength), ("weightedmean", PoolingModes.WeightedMean), ("lasttoken", PoolingModes.LastToken),
    ];

    /// <summary>All names, for help and messages.</summary>
    public static string All => string.Join(", ", Names.Select(entry => entry.Name));

    /// <summary>Modes of one or more names with commas between them.</summary>
    /// <returns><see langword="null"/> where a name is unknown.</returns>
    public static PoolingModes? Parse(string text)
    {
        PoolingModes modes = PoolingModes.None;
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            (string Name, PoolingModes Mode) entry = Array.Find(Names, entry => string.Equals(entry.Name, part, StringComparison.OrdinalIgnoreCase));
            if (entry.Name is null)
            {
                return null;
            }
            modes |= entry.Mode;
        }
        return modes;
    }

    /// <summary>Names of modes, in the order their vectors are concatenated.</summary>
    public static string Format(PoolingModes modes) => string.Join(',', Names.Where(entry => modes.HasFlag(entry.Mode)).Select(entry => entry.Name));
}
