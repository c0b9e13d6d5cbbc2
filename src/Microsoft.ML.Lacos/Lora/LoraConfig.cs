using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>What a LoRA adapter (arXiv 2106.09685) adapts, and how strongly; the part of PEFT's <c>LoraConfig</c> that changes results.</summary>
/// <remarks>
/// A module is named as in a checkpoint saved from <c>BloomModel</c>, for example <c>h.0.self_attention.query_key_value</c>.
/// Where PEFT looks at names, names with the prefix <c>transformer.</c> (a model with a language-model head) are tried too.
/// Two are equal where all values are, lists element by element in their order. Lists must not change once a configuration is in use.
/// </remarks>
public sealed record LoraConfig
{
    /// <summary>PEFT's word for every linear layer, as a <see cref="TargetPattern"/>.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>Rank of the update (<c>r</c>).</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scaling (<c>lora_alpha</c>); finite.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability of dropping an input element in training (<c>lora_dropout</c>), from 0 to 1; has no effect on a merged adapter.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the scaling divides by the square root of the rank (<c>use_rslora</c>, arXiv 2312.03732).</summary>
    public bool RankStabilized { get; init; }

    /// <summary>Modules to adapt: a full name, or its end after a dot (<c>target_modules</c> as a list). The default is PEFT's for BLOOM.</summary>
    public IReadOnlyList<string> TargetModules { get; init => field = value ?? throw new ArgumentNullException(nameof(TargetModules)); } = ["query_key_value"];

    /// <summary>Regular expression that the whole name must match, or <see cref="AllLinear"/> (<c>target_modules</c> as a string); takes the place of <see cref="TargetModules"/>.</summary>
    public string? TargetPattern { get; init; }

    /// <summary>Modules to leave out, named as in <see cref="TargetModules"/> (<c>exclude_modules</c> as a list).</summary>
    public IReadOnlyList<string> ExcludedModules { get; init => field = value ?? throw new ArgumentNullException(nameof(ExcludedModules)); } = [];

    /// <summary>Regular expression of modules to leave out (<c>exclude_modules</c> as a string).</summary>
    public string? ExcludedPattern { get; init; }

    /// <summary>Blocks to adapt (<c>layers_to_transform</c>); <see langword="null"/> for all. Has no effect beside a <see cref="TargetPattern"/>, as in PEFT.</summary>
    public IReadOnlyList<int>? Blocks { get; init; }

    /// <summary>Ranks of modules whose name, or its end after a dot, matches the regular expression; the first that matches counts (<c>rank_pattern</c>).</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPatterns { get; init => field = value ?? throw new ArgumentNullException(nameof(RankPatterns)); } = [];

    /// <summary>Alphas of modules, chosen as by <see cref="RankPatterns"/> (<c>alpha_pattern</c>).</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPatterns { get; init => field = value ?? throw new ArgumentNullException(nameof(AlphaPatterns)); } = [];

    /// <summary>Where the base model came from (<c>base_model_name_or_path</c>); not checked.</summary>
    public string? BaseModel { get; init; }

    /// <summary>What the adapter was made for (<c>task_type</c>), for example <c>FEATURE_EXTRACTION</c>; not used.</summary>
    public string? TaskType { get; init; }

    /// <summary>Whether a linear layer is adapted.</summary>
    /// <param name="module">Its name.</param>
    /// <exception cref="InvalidDataException">A pattern is no regular expression, or the patterns take too long.</exception>
    public bool Targets(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        if (ModuleNames.IsNamed(module, ExcludedModules) || (ExcludedPattern is not null && ModulePatterns.Of(this).Matches(module, ExcludedPattern)))
        {
            return false;
        }
        if (TargetPattern is not null)
        {
            return TargetPattern == AllLinear || ModulePatterns.Of(this).Matches(module, TargetPattern);
        }
        return ModuleNames.IsNamed(module, TargetModules) && (Blocks is null || ModuleNames.IsIn(module, Blocks));
    }

    /// <summary>Rank of a module's update.</summary>
    /// <param name="module">Its name.</param>
    /// <exception cref="InvalidDataException">A pattern is no regular expression, or the patterns take too long.</exception>
    public int RankOf(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return ModulePatterns.Of(this).FirstMatch(module, RankPatterns, Rank);
    }

    /// <summary>Factor of a module's update: alpha / r, or alpha / sqrt(r) where <see cref="RankStabilized"/>.</summary>
    /// <param name="module">Its name.</param>
    /// <exception cref="InvalidDataException">A pattern is no regular expression, or the patterns take too long.</exception>
    public float ScalingOf(string module)
    {
        int rank = RankOf(module);
        double alpha = ModulePatterns.Of(this).FirstMatch(module, AlphaPatterns, Alpha);
        return (float)(RankStabilized ? alpha / Math.Sqrt(rank) : alpha / rank);
    }

    /// <summary>Whether all values are the same.</summary>
    /// <param name="other">Another configuration.</param>
    public bool Equals(LoraConfig? other) =>
        other is not null
        && (Rank, Alpha, Dropout, RankStabilized) == (other.Rank, other.Alpha, other.Dropout, other.RankStabilized)
        && (TargetPattern, ExcludedPattern, BaseModel, TaskType) == (other.TargetPattern, other.ExcludedPattern, other.BaseModel, other.TaskType)
        && TargetModules.SequenceEqual(other.TargetModules)
        && ExcludedModules.SequenceEqual(other.ExcludedModules)
        && RankPatterns.SequenceEqual(other.RankPatterns)
        && AlphaPatterns.SequenceEqual(other.AlphaPatterns)
        && (Blocks is null ? other.Blocks is null : other.Blocks is not null && Blocks.SequenceEqual(other.Blocks));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, Alpha, Dropout, RankStabilized, TargetPattern, BaseModel, TargetModules.Count, Blocks?.Count);

    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);
}
