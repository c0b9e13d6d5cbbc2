using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Adam with moments in fp32 and decoupled weight decay (arXiv 1711.05101); the same update as PyTorch's AdamW.</summary>
/// <remarks>Four times the memory of <see cref="Adam8bit"/>: 8 bytes for each weight that is trained.</remarks>
public sealed class AdamW : AdamOptimizer
{
    /// <summary>Creates the optimiser.</summary>
    /// <param name="parameters">Float32 tensors to train, each with a name of its own; they stay the caller's.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <exception cref="ArgumentException">A tensor is missing, of another type or empty, or a name is missing or comes twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public AdamW(IEnumerable<(string Name, torch.Tensor Value)> parameters, AdamOptions? options = null)
        : base(parameters, options ?? new AdamOptions(), count => new SinglePrecisionMoments(count))
    {
    }
}
