using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>A LoRA adapter in the format of PEFT: a folder of <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
/// <remarks>Adapters made for <c>BloomModel</c> and for <c>BloomForCausalLM</c> are read alike; fp32, fp16 and bf16.</remarks>
public sealed partial class PeftAdapter
{
    /// <summary>Name of the configuration's file.</summary>
    public const string ConfigFileName = "adapter_config.json";

    /// <summary>Name of the matrices' file.</summary>
    public const string WeightsFileName = "adapter_model.safetensors";

    /// <summary>Takes a configuration and matrices.</summary>
    /// <param name="config">What is adapted.</param>
    /// <param name="modules">Matrices by module name, for example <c>h.0.self_attention.query_key_value</c>.</param>
    /// <exception cref="ArgumentException">There is no module, or one without matrices or one that the configuration does not target or gives another rank; or its alpha or dropout is no such number.</exception>
    public PeftAdapter(LoraConfig config, IReadOnlyDictionary<string, LoraMatrices> modules)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(modules);
        if (Disagreement(config, modules) is { } disagreement)
        {
            throw new ArgumentException(disagreement, nameof(modules));
        }
        Config = config;
        Modules = modules;
    }

    /// <summary>What is adapted, and how strongly.</summary>
    public LoraConfig Config { get; }

    /// <summary>Matrices by module name, without any prefix.</summary>
    public IReadOnlyDictionary<string, LoraMatrices> Modules { get; }

    /// <summary>Whether names in the files are those of a model with a language-model head (<c>transformer.h.0…</c>).</summary>
    public bool HasLanguageModelHead { get; init; }

    /// <summary>Adds the updates to a model's weights: <c>W + scaling * B A</c> in fp32, quantised again in the scheme each matrix had.</summary>
    /// <param name="weights">The base model. Matrices that are not adapted are shared with the result, so the base model must stay open as long as they are read.</param>
    /// <returns>The merged weights; dispose them after the last encoder that uses them.</returns>
    /// <exception cref="InvalidDataException">The adapter was made for another shape, lacks a module it targets, or a merged weight is not finite.</exception>
    /// <exception cref="ObjectDisposedException">The model of the weights has been disposed, and their memory given back.</exception>
    public MergedBloomWeights Merge(BloomWeights weights) => MergedBloomWeights.Merge(weights, this);

    /// <inheritdoc cref="MergedBloomWeights.UpdateOf"/>
    internal WeightUpdate? UpdateOf(string module, int rows, int columns) => MergedBloomWeights.UpdateOf(this, module, rows, columns);

    /// <inheritdoc cref="MergedBloomWeights.CheckModules(BloomWeights, PeftAdapter)"/>
    internal void CheckModules(BloomWeights weights) => MergedBloomWeights.CheckModules(weights, this);

    /// <inheritdoc cref="MergedBloomWeights.CheckModules(BloomConfig, PeftAdapter)"/>
    internal void CheckModules(BloomConfig config) => MergedBloomWeights.CheckModules(config, this);

    /// <summary>The same adapter with its updates made smaller or larger.</summary>
    /// <param name="strength">Factor of every update; below 1 the result lies between the base model and the trained one, which often keeps most of what was learned and forgets less (Wortsman et al. 2021, arXiv 2109.01903).</param>
    /// <exception cref="ArgumentOutOfRangeException">The factor is not positive and finite.</exception>
    /// <exception cref="ArgumentException">The factor makes an alpha infinite.</exception>
    public PeftAdapter WithStrength(double strength)
    {
        if (!double.IsFinite(strength) || strength <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(strength), strength, string.Create(CultureInfo.InvariantCulture, $"The strength is {strength}; it must be a positive number, 1 for the adapter as it is."));
        }
        LoraConfig scaled = Config with
        {
            Alpha = Config.Alpha * strength,
            AlphaPatterns = [.. Config.AlphaPatterns.Select(pattern => KeyValuePair.Create(pattern.Key, pattern.Value * strength))],
        };
        return new PeftAdapter(scaled, Modules) { HasLanguageModelHead = HasLanguageModelHead };
    }

    private static string? Disagreement(LoraConfig config, IReadOnlyDictionary<string, LoraMatrices> modules)
    {
        if (modules.Count == 0)
        {
            return "The adapter has no LoRA matrices. Save it again after training.";
        }
        if (config.AlphaPatterns.Select(pattern => pattern.Value).Append(config.Alpha).FirstOrDefault(alpha => !double.IsFinite(alpha)) is var alpha and not 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"The adapter's alpha is {alpha}; it must be a finite number. Correct the configuration.");
        }
        if (config.Dropout is not (>= 0 and <= 1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"The adapter's dropout is {config.Dropout}; it must be from 0 to 1. Correct the configuration.");
        }
        foreach ((string module, LoraMatrices? matrices) in modules)
        {
            if (matrices is null)
            {
                return $"The adapter has no matrices of '{module}'. Leave the module out, or give them.";
            }
            if (!AdaptableModules.IsModule(module))
            {
                return $"The adapter adapts '{module}', which is no linear layer of a BLOOM block. Merge it into its model with PEFT and load that.";
            }
            if (!config.Targets(module))
            {
                return $"The adapter holds matrices of '{module}', which its configuration does not target. Check that both files belong together.";
            }
            if (matrices.Rank != config.RankOf(module))
            {
                return $"The adapter's matrices of '{module}' have rank {matrices.Rank}, its configuration says {config.RankOf(module)}. Check that both files belong together.";
            }
        }
        return null;
    }
}
