using System.Text.Json;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>What a folder's <c>tokenizer_config.json</c> says beside its <c>tokenizer.json</c>.</summary>
internal static class TokenizerConfig
{
    private const string Name = "tokenizer_config.json";

    /// <summary>The token limit that it names; <see langword="null"/> when it names none or one that means "none".</summary>
    public static int? TokenLimit(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return null;
        }
        using JsonDocument json = JsonFile.Open(path);
        if (JsonFile.Optional(json.RootElement, "model_max_length", path) is not { } value)
        {
            return null;
        }
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double limit))
        {
            throw JsonFile.Wrong(value, $"{path}: model_max_length", "a number");
        }
        // transformers writes 1e30 where there is no limit.
        return limit is >= 1 and <= SentenceSettingsJson.LargestTokenCount ? (int)limit : null;
    }

    /// <summary>Refuses what would give other tokens than the reference does with the same folder.</summary>
    /// <exception cref="NotSupportedException">Long texts lose their beginning, or tokens are added to every text.</exception>
    public static void RefuseUnsupported(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return;
        }
        using JsonDocument json = JsonFile.Open(path);
        if (JsonFile.Optional(json.RootElement, "truncation_side", path) is { } side && JsonFile.Text(side, $"{path}: truncation_side") is not "right" and var given)
        {
            throw new NotSupportedException($"'{path}' has truncation_side '{given}'; texts over the limit are cut on the right here. Set it to 'right' where only short texts matter.");
        }
        foreach (string key in (string[])["add_bos_token", "add_eos_token"])
        {
            if (JsonFile.Flag(json.RootElement, key, path) == true)
            {
                throw new NotSupportedException($"'{path}' sets '{key}', which adds a token to every text; no token is added here. Use a tokenizer that adds none, as BLOOM's.");
            }
        }
    }
}
