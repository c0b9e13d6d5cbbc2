using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Causal self-attention of one head over one sentence.</summary>
internal static class Attention
{
    /// <summary>
    /// Position i attends to positions 0..i: <c>softmax_j(slope * j + q_i·k_j / sqrt(head size))</c> weighs the values.
    /// </summary>
    /// <param name="queryKeyValue">[tokens, head, (query, key, value), head size] of one sentence.</param>
    /// <param name="head">Which head.</param>
    /// <param name="headSize">Its width.</param>
    /// <param name="slope">Its ALiBi slope.</param>
    /// <param name="context">Output: [tokens, hidden] of the same sentence; only this head's columns are written.</param>
    /// <param name="hiddenSize">Width of <paramref name="context"/>.</param>
    /// <param name="scores">Scratch, at least as many elements as there are tokens.</param>
    /// <param name="from">First position that is computed.</param>
    /// <remarks>fp32 throughout; the greatest score is subtracted before the exponential. A NaN reaches the positions after it, as it must.</remarks>
    public static unsafe void ApplyHead(ReadOnlySpan<float> queryKeyValue, int head, int headSize, float slope, Span<float> context, int hiddenSize, Span<float> scores, int from = 0)
    {
        int tokens = context.Length / hiddenSize;
        int stride = 3 * hiddenSize;
        float scale = 1f / MathF.Sqrt(headSize);
        fixed (float* qkv = queryKeyValue)
        {
            float* queries = qkv + ((long)head * 3 * headSize), keys = queries + headSize;
            for (int i = from; i < tokens; i++)
            {
                Span<float> weights = scores[..(i + 1)];
                float* query = queries + ((long)i * stride);
                for (int j = 0; j <= i; j++)
                {
                    weights[j] = (slope * j) + (FixedOrder.Dot(query, keys + ((long)j * stride), headSize) * scale);
                }
                TensorPrimitives.Subtract(weights, TensorPrimitives.Max(weights), weights);
                TensorPrimitives.Exp(weights, weights);
                TensorPrimitives.Divide(weights, FixedOrder.Sum(weights), weights);

                Span<float> result = context.Slice((i * hiddenSize) + (head * headSize), headSize);
                result.Clear();
                for (int j = 0; j <= i; j++)
                {
                    var value = new ReadOnlySpan<float>(keys + ((long)j * stride) + headSize, headSize);
                    TensorPrimitives.MultiplyAdd(value, weights[j], result, result);
                }
            }
        }
    }
}
