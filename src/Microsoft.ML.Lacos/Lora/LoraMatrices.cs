using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>The trained matrices of one adapted linear layer <c>y = W x + b + scaling * B A x</c>.</summary>
public sealed class LoraMatrices
{
    /// <summary>Takes two matrices.</summary>
    /// <param name="rank">Rank r.</param>
    /// <param name="a">[rank, in] row-major.</param>
    /// <param name="b">[out, rank] row-major; rows of a query-key-value layer are interleaved by head, as the layer's own.</param>
    /// <exception cref="ArgumentException">A matrix is empty or no multiple of the rank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rank is not positive.</exception>
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

    /// <summary>Adds <c>scaling * B A</c> to a stretch of a weight; PEFT's order: the product first, then the scaling, then the sum.</summary>
    /// <param name="start">Row-major position of the first element.</param>
    /// <param name="weights">Elements of the weight from there on.</param>
    /// <param name="scaling">Factor of the update.</param>
    internal void AddTo(long start, Span<float> weights, float scaling)
    {
        Span<float> room = stackalloc float[512];
        while (weights.Length > 0)
        {
            (int row, int column) = ((int)(start / InFeatures), (int)(start % InFeatures));
            Span<float> update = room[..Math.Min(room.Length, Math.Min(weights.Length, InFeatures - column))];
            update.Clear();
            for (int r = 0; r < Rank; r++)
            {
                TensorPrimitives.MultiplyAdd(A.AsSpan((r * InFeatures) + column, update.Length), B[(row * Rank) + r], update, update);
            }
            Span<float> target = weights[..update.Length];
            TensorPrimitives.MultiplyAdd(update, scaling, target, target);
            weights = weights[update.Length..];
            start += update.Length;
        }
    }
}
