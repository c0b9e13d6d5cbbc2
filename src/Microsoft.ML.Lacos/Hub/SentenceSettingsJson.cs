using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Reads and writes <see cref="SentenceSettings"/> as they stand in a <c>.lacos</c> file.</summary>
internal static class SentenceSettingsJson
{
    /// <summary>Most tokens a text may be allowed: what a sentence-transformers folder without a limit allows.</summary>
    public const int LargestTokenCount = 1_000_000;

    /// <summary>Writes settings, byte for byte the same each time.</summary>
    /// <exception cref="InvalidDataException">The pooling has no name.</exception>
    public static string Write(SentenceSettings settings)
    {
        if (!Pooling.AreModes(settings.Pooling))
        {
            throw new InvalidDataException($"The settings' Pooling is {settings.Pooling}; it must be one or more of {string.Join(", ", Enum.GetNames<PoolingModes>().Skip(1))}.");
        }
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("pooling");
            foreach (string name in PoolingNames.Of(settings.Pooling))
            {
                json.WriteStringValue(name);
            }
            json.WriteEndArray();
            json.WriteBoolean("normalize", settings.Normalize);
            json.WriteNumber("max_seq_length", settings.MaximumTokenCount);
            json.WriteStartObject("prompts");
            foreach ((string name, string prompt) in settings.Prompts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, prompt);
            }
            json.WriteEndObject();
            json.WriteString("default_prompt_name", settings.DefaultPromptName);
            json.WriteBoolean("include_prompt", settings.IncludePrompt);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Settings as a file would give them back: what could not be read from one is refused here, not when somebody opens it.</summary>
    /// <exception cref="InvalidDataException">A value makes no sense.</exception>
    public static SentenceSettings ThroughFile(SentenceSettings settings) => Read(Encoding.UTF8.GetBytes(Write(settings)), nameof(settings));

    /// <summary>Reads settings.</summary>
    /// <exception cref="InvalidDataException">A value makes no sense.</exception>
    public static SentenceSettings Read(byte[] json, string where)
    {
        using JsonDocument document = JsonFile.Parse(json, where);
        JsonElement root = document.RootElement;
        var defaults = new SentenceSettings();
        JsonElement? prompts = JsonFile.Optional(root, "prompts", where);
        int tokens = JsonFile.Integer(root, "max_seq_length", where) ?? defaults.MaximumTokenCount;
        var settings = new SentenceSettings
        {
            Pooling = JsonFile.Optional(root, "pooling", where) is { } pooling ? PoolingNames.Parse(pooling, $"{where}: pooling") : defaults.Pooling,
            Normalize = JsonFile.Flag(root, "normalize", where) ?? defaults.Normalize,
            MaximumTokenCount = tokens is >= 1 and <= LargestTokenCount
                ? tokens
                : throw new InvalidDataException($"'{where}: max_seq_length' is {tokens}, expected 1 to {LargestTokenCount}. Correct the file."),
            Prompts = prompts is { } texts ? JsonFile.Strings(texts, $"{where}: prompts") : defaults.Prompts,
            DefaultPromptName = JsonFile.String(root, "default_prompt_name", where),
            IncludePrompt = JsonFile.Flag(root, "include_prompt", where) ?? defaults.IncludePrompt,
        };
        CheckDefaultPrompt(settings, where);
        return settings;
    }

    /// <summary>Refuses a default prompt that is not among the prompts.</summary>
    public static void CheckDefaultPrompt(SentenceSettings settings, string where)
    {
        if (settings.DefaultPromptName is { } name && !settings.Prompts.ContainsKey(name))
        {
            throw new InvalidDataException($"'{where}' names the default prompt '{TextInMessage.Of(name)}', which is not among its prompts ({TextInMessage.Of(string.Join(", ", settings.Prompts.Keys.Order(StringComparer.Ordinal)))}). Correct one of them.");
        }
    }
}
