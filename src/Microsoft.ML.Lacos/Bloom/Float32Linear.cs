using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>A linear layer in fp32 arithmetic over weights stored in any scheme; quantised rows are dequantised a panel at a time.</summary>
internal sealed class Float32Linear(LinearWeights weights) : LinearLayer(weights)
{
    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> x, ReadOnlySpan<int> rowOffsets, Span<float> y, EncoderBuffers buffers, int threads) =>
        Apply(x, rowOffsets[^1], y, threads);

    /// <summary>Applies the layer to <paramref name="tokens"/> rows.</summary>
    public unsafe void Apply(ReadOnlySpan<float> x, int tokens, Span<float> y, int threads = 1)
    {
        fixed (float* input = x, output = y)
        {
            float* xs = input, ys = output;
            int panels = (OutFeatures + PanelRows - 1) / PanelRows;
            EncoderThreads.Run(panels, Degree(tokens, threads), panel => Panel(xs, ys, tokens, panel * PanelRows));
        }
        GC.KeepAlive(Weights.Weight.Owner);
    }

    private unsafe void Panel(float* x, float* y, int tokens, int firstRow)
    {
        WeightMatrix matrix = Weights.Weight;
        int rows = Math.Min(PanelRows, OutFeatures - firstRow);
        if (matrix.Scheme == QuantizationScheme.None)
        {
            Multiply((float*)matrix.Address + ((long)firstRow * InFeatures), rows, x, tokens, y + firstRow, firstRow);
            return;
        }
        float[] dequantized = System.Buffers.ArrayPool<float>.Shared.Rent(rows * InFeatures);
        for (int row = 0; row < rows; row++)
        {
            matrix.DequantizeHeldRow(firstRow + row, dequantized.AsSpan(row * InFeatures, InFeatures));
        }
        fixed (float* w = dequantized)
        {
            Multiply(w, rows, x, tokens, y + firstRow, firstRow);
        }
        System.Buffers.ArrayPool<float>.Shared.Return(dequantized);
    }

    private unsafe void Multiply(float* w, int rows, float* x, int tokens, float* y, int firstRow)
    {
        int inner = InFeatures, outer = OutFeatures;
        float[] bias = Weights.Bias;
        float* sums = stackalloc float[8];
        float** ws = stackalloc float*[2];
        float** xs = stackalloc float*[4];
        for (int block = 0; block < tokens; block += TokenBlock)
        {
            int blockEnd = Math.Min(tokens, block + TokenBlock);
            for (int row = 0; row < rows; row += 2)
            {
                // At the ends the last row stands in for those that are missing, and its products are computed again: cheaper than single ones.
                int second = Math.Min(row + 1, rows - 1);
                ws[0] = w + ((long)row * inner);
                ws[1] = w + ((long)second * inner);
                for (int token = block; token < blockEnd; token += 4)
                {
                    for (int t = 0; t < 4; t++)
                    {
                        xs[t] = x + ((long)Math.Min(token + t, blockEnd - 1) * inner);
                    }
                    FixedOrder.Dot2x4(ws, xs, inner, sums);
                    for (int t = 0; t < Math.Min(4, blockEnd - token); t++)
                    {
                        float* target = y + ((long)(token + t) * outer);
                        target[row] = sums[2 * t] + bias[firstRow + row];
                        target[second] = sums[second == row ? 2 * t : (2 * t) + 1] + bias[firstRow + second];
                    }
                }
            }
        }
    }
}
