using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>Reads and writes PEFT's <c>adapter_config.json</c>.</summary>
/// <remarks>Keys that are unknown, or that change nothing in a trained adapter, are passed over. A key that asks for what is not implemented is refused: an adapter applied in part would give wrong vectors silently.</remarks>
internal static class LoraConfigJson
{
    /// <summary>Settings that change what an adapter computes; each must be absent, null, false, 0 or empty.</summary>
    private static readonly string[] Unsupported =
    [
        "use_dora", "lora_bias", "use_qalora", "use_bdlora", "modules_to_save", "layer_replication", "target_parameters", "trainable_token_indices",
        "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config", "megatron_config",
    ];

    /// <summary>Initialisations that also change the base model's weights, so that the adapter does not fit the base as published.</summary>
    private static readonly string[] BaseChangingInitialisations = ["pissa", "olora", "loftq", "corda", "lora_ga"];

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">UTF-8 bytes.</param>
    /// <param name="source">Name for messages.</param>
    /// <exception cref="InvalidDataException">Not JSON, or a value of the wrong kind.</exception>
    /// <exception cref="NotSupportedException">The adapter is no LoRA, or uses a feature that is not implemented.</exception>
    public static LoraConfig Read(ReadOnlyMemory<byte> json, string source)
    {
        using JsonDocument document = Parse(json, source);
        try
        {
            return Read(new ConfigObject(document.RootElement, source));
        }
        catch (InvalidOperationException error)
        {
            // What System.Text.Json throws for text that is no valid UTF-16, such as half a surrogate pair.
            throw new InvalidDataException($"'{source}' holds text that is not valid Unicode. Fetch or save the adapter again.", error);
        }
    }

    private static LoraConfig Read(ConfigObject config)
    {
        RefuseUnsupported(config);
        var defaults = new LoraConfig();
        (IReadOnlyList<string>? targets, string? targetPattern) = config.NamesOrPattern("target_modules");
        (IReadOnlyList<string>? excluded, string? excludedPattern) = config.NamesOrPattern("exclude_modules");
        return new LoraConfig
        {
            Rank = config.Rank("r", defaults.Rank),
            Alpha = config.Number("lora_alpha", defaults.Alpha),
            Dropout = config.Number("lora_dropout", defaults.Dropout),
            RankStabilized = config.IsSet("use_rslora"),
            TargetModules = targets ?? defaults.TargetModules,
            TargetPattern = targetPattern,
            ExcludedModules = excluded ?? [],
            ExcludedPattern = excludedPattern,
            Blocks = config.Integers("layers_to_transform") is { Count: > 0 } blocks ? blocks : null,
            RankPatterns = config.Pairs("rank_pattern", config.RankValue),
            AlphaPatterns = config.Pairs("alpha_pattern", config.NumberValue),
            BaseModel = config.Text("base_model_name_or_path"),
            TaskType = config.Text("task_type"),
        };
    }

    /// <summary>Writes a configuration as PEFT reads it.</summary>
    /// <param name="stream">Output.</param>
    /// <param name="config">What to write.</param>
    /// <param name="hasLanguageModelHead">Whether the adapter's names are those of <c>BloomForCausalLM</c>.</param>
    public static void Write(Stream stream, LoraConfig config, bool hasLanguageModelHead)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteString("peft_type", "LORA");
        json.WriteString("task_type", config.TaskType);
        json.WriteString("base_model_name_or_path", config.BaseModel);
        json.WriteNull("revision");
        json.WriteStartObject("auto_mapping");
        json.WriteString("base_model_class", hasLanguageModelHead ? "BloomForCausalLM" : "BloomModel");
        json.WriteString("parent_library", "transformers.models.bloom.modeling_bloom");
        json.WriteEndObject();
        json.WriteNumber("r", config.Rank);
        json.WriteNumber("lora_alpha", config.Alpha);
        json.WriteNumber("lora_dropout", config.Dropout);
        json.WriteBoolean("use_rslora", config.RankStabilized);
        json.WriteBoolean("use_dora", false);
        WriteNamesOrPattern(json, "target_modules", FullNames(config) ?? config.TargetModules, config.TargetPattern);
        WriteNamesOrPattern(json, "exclude_modules", config.ExcludedModules.Count == 0 ? null : config.ExcludedModules, config.ExcludedPattern);
        json.WriteNull("layers_to_transform");
        json.WriteNull("layers_pattern");
        WritePatterns(json, "rank_pattern", config.RankPatterns, json.WriteNumber);
        WritePatterns(json, "alpha_pattern", config.AlphaPatterns, json.WriteNumber);
        json.WriteString("bias", "none");
        json.WriteBoolean("fan_in_fan_out", false);
        json.WriteBoolean("init_lora_weights", true);
        json.WriteNull("modules_to_save");
        json.WriteBoolean("inference_mode", true);
        json.WriteEndObject();
    }

    // PEFT finds the number of a block only in names that begin before it, which those of BloomModel do not: blocks are chosen by full names.
    private static List<string>? FullNames(LoraConfig config) => config.Blocks is null || config.TargetPattern is not null
        ? null
        : [.. config.Blocks.Order().Distinct().SelectMany(AdaptableModules.NamesOf).Where(name => ModuleNames.IsNamed(name, config.TargetModules))];

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, string source)
    {
        try
        {
            JsonLimits.RequireTokens(json.Span, JsonLimits.MostConfigTokens, source);
            JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }
            document.Dispose();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{source}' is no JSON that can be read: {TextInMessage.Of(error.Message)} Fetch or save the adapter again.", error);
        }
        throw new InvalidDataException($"'{source}' holds no JSON object. Fetch or save the adapter again.");
    }

    private static void RefuseUnsupported(ConfigObject config)
    {
        string? type = config.Text("peft_type");
        if (!string.Equals(type, "LORA", StringComparison.OrdinalIgnoreCase))
        {
            throw new NotSupportedException($"'{config.Source}' describes a PEFT adapter of type '{TextInMessage.Of(type ?? "(none)")}'; only LORA is supported. Merge the adapter into its model with PEFT and load that.");
        }
        string? bias = config.Text("bias");
        if (bias is not (null or "none"))
        {
            throw new NotSupportedException($"'{config.Source}' has trained biases (bias = '{TextInMessage.Of(bias)}'); only 'none' is supported. Merge the adapter into its model with PEFT and load that.");
        }
        foreach (string key in Unsupported)
        {
            if (config.IsSet(key))
            {
                throw new NotSupportedException($"'{config.Source}' sets '{key}', which is not supported. Merge the adapter into its model with PEFT and load that.");
            }
        }
        string? initialisation = config.TextOrNothing("init_lora_weights");
        if (initialisation is not null && Array.Exists(BaseChangingInitialisations, name => initialisation.StartsWith(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new NotSupportedException($"'{config.Source}' was initialised with '{TextInMessage.Of(initialisation)}', which changes the base model's weights too. Convert it with PEFT's path_initial_model_for_weight_conversion, or merge it there.");
        }
    }

    private static void WriteNamesOrPattern(Utf8JsonWriter json, string key, IReadOnlyList<string>? names, string? pattern)
    {
        json.WritePropertyName(key);
        if (pattern is not null)
        {
            json.WriteStringValue(pattern);
        }
        else
        {
            JsonSerializer.Serialize(json, names);
        }
    }

    private static void WritePatterns<T>(Utf8JsonWriter json, string key, IReadOnlyList<KeyValuePair<string, T>> patterns, Action<string, T> write)
    {
        json.WriteStartObject(key);
        foreach ((string pattern, T value) in patterns)
        {
            write(pattern, value);
        }
        json.WriteEndObject();
    }
}
