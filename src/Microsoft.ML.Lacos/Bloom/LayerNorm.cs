using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Layer normalisation (arXiv 1607.06450), as <c>torch.nn.LayerNorm</c>.</summary>
internal static class LayerNorm
{
    /// <summary>
    /// <c>y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias</c> for every row, with the biased variance in two passes, in fp32.
    /// </summary>
    /// <param name="x">[rows, hidden].</param>
    /// <param name="weights">Gain and bias.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[rows, hidden]; may be <paramref name="x"/> itself.</param>
    /// <remarks>A NaN or an infinity makes its whole row NaN and no other.</remarks>
    public static void Apply(ReadOnlySpan<float> x, LayerNormWeights weights, float epsilon, Span<float> y)
    {
        int width = weights.Weight.Length;
        for (int start = 0; start < x.Length; start += width)
        {
            ReadOnlySpan<float> row = x.Slice(start, width);
            Span<float> result = y.Slice(start, width);
            float mean = FixedOrder.Sum(row) / width;
            TensorPrimitives.Subtract(row, mean, result);
            float variance = FixedOrder.Dot(result, result) / width;
            TensorPrimitives.Multiply(result, 1f / MathF.Sqrt(variance + epsilon), result);
            TensorPrimitives.MultiplyAdd(result, weights.Weight, weights.Bias, result);
        }
    }
}
