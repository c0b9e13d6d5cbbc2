using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Reads and writes <see cref="BloomConfig"/> as Hugging Face's <c>config.json</c>, both spellings of the keys.</summary>
internal static class BloomConfigJson
{
    // Far above BLOOM-176B (14,336 wide, 70 layers), far below where products of sizes overflow.
    private const int MaximumWidth = 1 << 18;
    private const int MaximumLayers = 1 << 12;

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">UTF-8, without a byte-order mark.</param>
    /// <param name="source">Name for messages.</param>
    /// <exception cref="NotSupportedException">The model is no BLOOM.</exception>
    /// <exception cref="InvalidDataException">A key is missing or makes no sense.</exception>
    public static BloomConfig Read(ReadOnlyMemory<byte> json, string source)
    {
        try
        {
            JsonLimits.RequireTokens(json.Span, JsonLimits.MostConfigTokens, source);
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(document.RootElement, source);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"'{source}' is not a model configuration: {TextInMessage.Of(error.Message)} Fetch it again.", error);
        }
    }

    /// <summary>Writes a configuration that transformers reads, byte for byte the same each time.</summary>
    public static string Write(BloomConfig config)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("model_type", "bloom");
            writer.WriteNumber("hidden_size", config.HiddenSize);
            writer.WriteNumber("n_layer", config.LayerCount);
            writer.WriteNumber("n_head", config.HeadCount);
            writer.WriteNumber("vocab_size", config.VocabularySize);
            writer.WriteNumber("layer_norm_epsilon", config.LayerNormEpsilon);
            writer.WriteBoolean("apply_residual_connection_post_layernorm", config.ResidualPostLayerNorm);
            writer.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static BloomConfig Read(JsonElement root, string source)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{source}' is JSON {root.ValueKind}, expected an object. Fetch it again.");
        }
        string type = root.TryGetProperty("model_type", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString()! : "(none)";
        if (type != "bloom")
        {
            throw new NotSupportedException($"'{source}' describes a model of type '{TextInMessage.Of(type)}'; only 'bloom' is supported. Choose a BLOOM checkpoint.");
        }
        int hidden = Size(root, source, MaximumWidth, "hidden_size", "n_embed");
        int heads = Size(root, source, MaximumWidth, "n_head", "num_attention_heads");
        if (hidden % heads != 0)
        {
            throw new InvalidDataException($"'{source}': {heads} heads do not divide a hidden size of {hidden}. Check 'n_head' and 'hidden_size'.");
        }
        return new BloomConfig(
            hidden,
            Size(root, source, MaximumLayers, "n_layer", "num_hidden_layers"),
            heads,
            Size(root, source, int.MaxValue / 4, "vocab_size", null),
            Epsilon(root, source),
            Flag(root, source, "apply_residual_connection_post_layernorm"));
    }

    private static int Size(JsonElement root, string source, int maximum, string key, string? otherKey)
    {
        int? value = OptionalSize(root, source, maximum, key);
        int? other = otherKey is null ? null : OptionalSize(root, source, maximum, otherKey);
        if (value is not null && other is not null && value != other)
        {
            throw new InvalidDataException($"'{source}' says both '{key}' = {value} and '{otherKey}' = {other}. Remove the wrong one.");
        }
        string names = otherKey is null ? $"'{key}'" : $"'{key}' (or '{otherKey}')";
        return value ?? other ?? throw new InvalidDataException($"'{source}' has no {names}. Take the config.json that belongs to the weights.");
    }

    private static int? OptionalSize(JsonElement root, string source, int maximum, string key)
    {
        if (!root.TryGetProperty(key, out JsonElement element) || element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) && value >= 1 && value <= maximum
            ? value
            : throw new InvalidDataException($"'{source}': '{key}' is {TextInMessage.Of(element.GetRawText())}, expected a whole number from 1 to {maximum}.");
    }

    private static float Epsilon(JsonElement root, string source)
    {
        if (!root.TryGetProperty("layer_norm_epsilon", out JsonElement element))
        {
            return 1e-5f;
        }
        return element.ValueKind == JsonValueKind.Number && element.TryGetSingle(out float value) && value > 0 && value < 1
            ? value
            : throw new InvalidDataException($"'{source}': 'layer_norm_epsilon' is {TextInMessage.Of(element.GetRawText())}, expected a number above 0 and below 1.");
    }

    private static bool Flag(JsonElement root, string source, string key)
    {
        if (!root.TryGetProperty(key, out JsonElement element))
        {
            return false;
        }
        return element.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? element.GetBoolean()
            : throw new InvalidDataException($"'{source}': '{key}' is {TextInMessage.Of(element.GetRawText())}, expected true or false.");
    }
}
