using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Adam with its moments in 8 bits, a quarter of their size in fp32 (Dettmers et al. 2021, arXiv 2110.02861).</summary>
/// <remarks>
/// <para>The moments are quantised block by block with dynamic code books and are as good as fp32 moments in practice. Tensors of fewer than 4,096 elements keep theirs in fp32.
/// Weight decay is decoupled.</para>
/// <para>The blocks of bitsandbytes' Adam8bit are of 256 elements from version 0.46 on, and were of 2,048 before.</para>
/// </remarks>
/// <example><code>
/// var optimizer = new Adam8bit([("lora_A", a), ("lora_B", b)], new AdamOptions(LearningRate: 2e-4));
/// loss.backward();
/// optimizer.Step();
/// optimizer.ZeroGradients();
/// </code></example>
public sealed class Adam8bit : AdamOptimizer
{
    /// <summary>Tensors of fewer elements keep their moments in fp32.</summary>
    public const int MinimumSize = 4096;

    /// <summary>Elements of a block, unless said otherwise.</summary>
    public const int DefaultBlockSize = 256;

    /// <summary>Creates the optimiser.</summary>
    /// <param name="parameters">Float32 tensors to train, each with a name of its own; they stay the caller's.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="blockSize">Elements quantised with one maximum, at least 1; a larger number than a tensor has elements takes the whole tensor.</param>
    /// <exception cref="ArgumentException">A tensor is missing, of another type or empty, or a name is missing or comes twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range, or the block size is not positive.</exception>
    public Adam8bit(IEnumerable<(string Name, torch.Tensor Value)> parameters, AdamOptions? options = null, int blockSize = DefaultBlockSize)
        : base(parameters, options ?? new AdamOptions(), Moments(blockSize))
    {
    }

    private static Func<int, IMoments> Moments(int blockSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        return count => count < MinimumSize ? new SinglePrecisionMoments(count) : new BlockwiseMoments(count, Math.Min(blockSize, count));
    }
}
