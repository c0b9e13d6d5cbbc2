using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>All that continues a run to the bit.</summary>
internal sealed record CheckpointState
{
    /// <summary>Steps made.</summary>
    public required long Step { get; init; }

    /// <summary>Where the sampler of each data set is.</summary>
    public required IReadOnlyList<SamplerPosition> Samplers { get; init; }

    /// <summary>The adapters.</summary>
    public required PeftAdapter Adapter { get; init; }

    /// <summary>The optimiser's state and what the loss has learned, by name.</summary>
    public required IReadOnlyDictionary<string, Array> Arrays { get; init; }

    /// <summary>The best adapter so far; null before the first evaluation.</summary>
    public BestAdapter? Best { get; init; }

    /// <summary>Evaluations since then.</summary>
    public int EvaluationsWithoutGain { get; init; }

    /// <summary>Whether the evaluation of this step was interrupted.</summary>
    public bool IsEvaluationDue { get; init; }

    /// <summary>Fingerprint of the validation set; null without one.</summary>
    public string? Validation { get; init; }
}

/// <summary>The adapter that did best on the validation set.</summary>
internal sealed record BestAdapter(PeftAdapter Adapter, double Spearman, long Step);
