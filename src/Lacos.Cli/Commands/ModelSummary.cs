using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary>What a model is, in a few lines.</summary>
internal sealed record ModelSummary(LacosModel Model)
{
    private BloomConfig Config => Model.Weights.Config;

    /// <summary>Weights and biases, all of them.</summary>
    public long ParameterCount => Matrices().Sum(matrix => (long)matrix.Rows * matrix.Columns) + Vectors().Sum(vector => (long)vector.Length);

    /// <summary>Bytes of weights, scales and biases in memory.</summary>
    public long WeightBytes =>
        Matrices().Sum(matrix => matrix.ByteSize) + Vectors().Sum(vector => (long)vector.Length * sizeof(float));

    /// <summary>Shape in words.</summary>
    public string Shape => string.Create(
        CultureInfo.InvariantCulture, $"{ParameterCount / 1e6:F1} M parameters: {Config.LayerCount} layers of {Config.HiddenSize}, {Config.HeadCount} heads, vocabulary {Config.VocabularySize:N0}");

    /// <summary>Storage in words.</summary>
    public string Storage => $"{Size(WeightBytes)}; {QuantizationNames.Describe(Model.Weights)}";

    /// <summary>Settings in words.</summary>
    public string Settings => string.Create(
        CultureInfo.InvariantCulture, $"{Models.PoolingArgument.Format(Model.Settings.Pooling)} pooling, {(Model.Settings.Normalize ? "normalized" : "not normalized")}, at most {Model.Settings.MaximumTokenCount} tokens");

    /// <summary>Names and texts of the prompts, the default one first; empty for none.</summary>
    public string Prompts => string.Join(", ", Model.Settings.Prompts
        .OrderBy(prompt => prompt.Key != Model.Settings.DefaultPromptName).ThenBy(prompt => prompt.Key, StringComparer.Ordinal)
        .Select(prompt => $"{TextInMessage.Of(prompt.Key)} '{TextInMessage.Of(prompt.Value)}'{(prompt.Key == Model.Settings.DefaultPromptName ? " (default)" : "")}"));

    /// <summary>Name as its makers gave it, fit to be shown.</summary>
    public string Name => TextInMessage.Of(Stated(ModelProvenance.Name, "unnamed"));

    /// <summary>Licence as its makers gave it, fit to be shown.</summary>
    public string License => TextInMessage.Of(Stated(ModelProvenance.License, "not stated"));

    /// <summary>A number of bytes for people: decimal megabytes.</summary>
    public static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N1} MB");

    /// <summary>The same as JSON.</summary>
    public JsonObject ToJson()
    {
        var provenance = new JsonObject();
        foreach (KeyValuePair<string, string> entry in Model.Provenance.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            provenance[entry.Key] = entry.Value;
        }
        return new JsonObject
        {
            ["name"] = Stated(ModelProvenance.Name, "unnamed"),
            ["fingerprint"] = Model.Fingerprint,
            ["parameters"] = ParameterCount,
            ["layers"] = Config.LayerCount,
            ["hidden_size"] = Config.HiddenSize,
            ["heads"] = Config.HeadCount,
            ["vocabulary"] = Config.VocabularySize,
            ["weight_bytes"] = WeightBytes,
            ["quantization"] = QuantizationNames.Describe(Model.Weights),
            ["pooling"] = Models.PoolingArgument.Format(Model.Settings.Pooling),
            ["normalized"] = Model.Settings.Normalize,
            ["maximum_token_count"] = Model.Settings.MaximumTokenCount,
            ["prompts"] = new JsonObject(Model.Settings.Prompts.OrderBy(prompt => prompt.Key, StringComparer.Ordinal).Select(prompt => KeyValuePair.Create(prompt.Key, (JsonNode?)prompt.Value))),
            ["default_prompt_name"] = Model.Settings.DefaultPromptName,
            ["license"] = Stated(ModelProvenance.License, "not stated"),
            ["provenance"] = provenance,
        };
    }

    private string Stated(string key, string otherwise) => Model.Provenance.GetValueOrDefault(key, otherwise);

    private IEnumerable<WeightMatrix> Matrices() => Linears().Select(linear => linear.Weight).Prepend(Model.Weights.WordEmbeddings);

    private IEnumerable<float[]> Vectors() => Norms().SelectMany(norm => new[] { norm.Weight, norm.Bias }).Concat(Linears().Select(linear => linear.Bias));

    private IEnumerable<LayerNormWeights> Norms() =>
        Model.Weights.Blocks.SelectMany(block => new[] { block.InputLayerNorm, block.PostAttentionLayerNorm }).Append(Model.Weights.WordEmbeddingsLayerNorm).Append(Model.Weights.FinalLayerNorm);

    private IEnumerable<LinearWeights> Linears() => Model.Weights.Blocks.SelectMany(block => block.Linears);
}
