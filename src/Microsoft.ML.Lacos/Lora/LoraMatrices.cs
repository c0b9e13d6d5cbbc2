namespace Microsoft.ML.Lacos.Lora;

/// <summary>The trained matrices of one adapted linear layer <c>y = W x + b + scaling * B A x</c>.</summary>
public sealed class LoraMatrices
{
    /// <summary>Takes two matrices.</summary>
    /// <param name="rank">Rank r.</param>
    /// <param name="a">[rank, in] row-major.</param>
    /// <param name="b">[out, rank] row-major; rows of a query-key-value layer are interleaved by head, as the layer's own.</param>
    /// <exception cref="ArgumentException">A matrix is empty or no multiple of the rank.</exception>
    public LoraMatrices(int rank, float[] a, float[] b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        if (a.Length == 0 || b.Length == 0 || a.Length % rank != 0 || b.Length % rank != 0)
        {
            throw new ArgumentException($"LoRA matrices of {a.Length} and {b.Length} elements do not have rank {rank}. Give A as [rank, in] and B as [out, rank].", nameof(a));
        }
        Rank = rank;
        A = a;
        B = b;
    }

    /// <summary>Rank of the update.</summary>
    public int Rank { get; }

    /// <summary>[rank, in] row-major.</summary>
    public float[] A { get; }

    /// <summary>[out, rank] row-major.</summary>
    public float[] B { get; }

    /// <summary>Length of an input row.</summary>
    public int InFeatures => A.Length / Rank;

    /// <summary>Length of an output row.</summary>
    public int OutFeatures => B.Length / Rank;
}
