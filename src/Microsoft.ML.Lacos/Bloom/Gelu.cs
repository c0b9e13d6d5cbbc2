using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>BLOOM's GELU: the tanh approximation (arXiv 1606.08415), <c>x / 2 * (1 + tanh(0.79788456 x (1 + 0.044715 x²)))</c>.</summary>
internal static class Gelu
{
    private const float SqrtTwoOverPi = 0.79788456f;
    private const float Cubic = 0.044715f;
    private const int Piece = 256;

    /// <summary>Replaces every element by its GELU, row by row.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="width">Elements of a row.</param>
    /// <remarks>
    /// Row by row, because a vectorised tanh may treat the last few elements of a span in another way than the rest:
    /// where an element stands in its row is its own, where it stands in the batch is not.
    /// </remarks>
    public static void ApplyInPlace(Span<float> x, int width)
    {
        Span<float> scratch = stackalloc float[Piece];
        for (int start = 0; start < x.Length; start += width)
        {
            Span<float> row = x.Slice(start, width);
            for (int done = 0; done < width; done += Piece)
            {
                Span<float> piece = row.Slice(done, Math.Min(Piece, width - done));
                Span<float> t = scratch[..piece.Length];
                TensorPrimitives.Multiply(piece, piece, t);
                TensorPrimitives.Multiply(t, Cubic, t);
                TensorPrimitives.Add(t, 1f, t);
                TensorPrimitives.Multiply(t, piece, t);
                TensorPrimitives.Multiply(t, SqrtTwoOverPi, t);
                TensorPrimitives.Tanh(t, t);
                TensorPrimitives.Add(t, 1f, t);
                TensorPrimitives.Multiply(t, piece, t);
                TensorPrimitives.Multiply(t, 0.5f, piece);
            }
        }
    }
}
