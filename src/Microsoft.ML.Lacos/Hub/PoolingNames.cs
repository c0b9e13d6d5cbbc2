using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>The names that sentence-transformers gives the pooling modes.</summary>
internal static class PoolingNames
{
    private static readonly (PoolingModes Mode, string Name, string OlderKey)[] Table =
    [
        (PoolingModes.FirstToken, "cls", "pooling_mode_cls_token"),
        (PoolingModes.Max, "max", "pooling_mode_max_tokens"),
        (PoolingModes.Mean, "mean", "pooling_mode_mean_tokens"),
        (PoolingModes.MeanSqrtLength, "mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
        (PoolingModes.WeightedMean, "weightedmean", "pooling_mode_weightedmean_tokens"),
        (PoolingModes.LastToken, "lasttoken", "pooling_mode_lasttoken"),
    ];

    /// <summary>Names of the modes, in the order of their vectors.</summary>
    public static IEnumerable<string> Of(PoolingModes modes) => Table.Where(row => modes.HasFlag(row.Mode)).Select(row => row.Name);

    /// <summary>Reads a name, or a list of names.</summary>
    /// <exception cref="InvalidDataException">The value is neither.</exception>
    /// <exception cref="NotSupportedException">A name is unknown, or the names stand in another order than their vectors do here.</exception>
    public static PoolingModes Parse(JsonElement value, string where)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return One(value, where);
        }
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            throw JsonFile.Wrong(value, where, "the name of a pooling mode or a list of names");
        }
        PoolingModes modes = PoolingModes.None;
        foreach (JsonElement element in value.EnumerateArray())
        {
            PoolingModes mode = One(element, where);
            // The order of a list is the order of its vectors.
            if (mode <= modes)
            {
                throw new NotSupportedException($"'{where}' is {TextInMessage.Of(value.GetRawText())}; vectors are put together in the order {string.Join(", ", Table.Select(row => row.Name))}, each once. List the modes so, and train again what was trained on the other order.");
            }
            modes |= mode;
        }
        return modes;
    }

    /// <summary>Reads a pooling module's configuration: <c>pooling_mode</c> since version 6, a flag a mode before.</summary>
    public static PoolingModes FromModule(JsonElement config, string where)
    {
        if (JsonFile.Optional(config, "pooling_mode", where) is { } mode)
        {
            return Parse(mode, $"{where}: pooling_mode");
        }
        PoolingModes modes = PoolingModes.None;
        bool saysMean = false;
        foreach ((PoolingModes flag, _, string key) in Table)
        {
            bool? isSet = JsonFile.Flag(config, key, where);
            saysMean |= flag == PoolingModes.Mean && isSet is not null;
            modes |= isSet == true ? flag : PoolingModes.None;
        }
        if (saysMean)
        {
            return modes != PoolingModes.None ? modes : throw NoMode(where);
        }
        // Left out, the flag of the mean counts as set before version 6 of the reference, and since then only where no other is.
        return modes == PoolingModes.None
            ? PoolingModes.Mean
            : throw new InvalidDataException($"'{where}' turns {string.Join(", ", Of(modes))} on and does not say 'pooling_mode_mean_tokens', which versions of sentence-transformers read differently. Add it, true or false.");
    }

    /// <summary>The flags of a pooling module's configuration before version 6, all of them.</summary>
    public static IEnumerable<(string Key, bool IsSet)> OlderFlags(PoolingModes modes) => Table.Select(row => (row.OlderKey, modes.HasFlag(row.Mode)));

    private static InvalidDataException NoMode(string where) => new($"'{where}' turns every pooling mode off. Turn one on, for example 'pooling_mode_mean_tokens'.");

    private static PoolingModes One(JsonElement value, string where)
    {
        string given = JsonFile.Text(value, where);
        foreach ((PoolingModes mode, string name, _) in Table)
        {
            if (given == name || (mode == PoolingModes.MeanSqrtLength && given == "mean_sqrt_len"))
            {
                return mode;
            }
        }
        throw new NotSupportedException($"'{where}' names the unknown pooling mode '{TextInMessage.Of(given)}'. Known are {string.Join(", ", Table.Select(row => row.Name))}.");
    }
}
