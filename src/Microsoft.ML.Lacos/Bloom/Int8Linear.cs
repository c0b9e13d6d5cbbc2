using System.Runtime.Intrinsics;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>A linear layer in int8 arithmetic: row-wise int8 weights, token rows quantised as they come, exact int32 sums (LLM.int8, arXiv 2208.07339).</summary>
/// <remarks>
/// An output element is <c>float(sum) * (absmax_x / 127) * (absmax_w / 127) + bias</c>, every step rounded to fp32, from left to right.
/// With a threshold, the columns in which a sentence has an element of at least that magnitude are left out of the integer product and added in fp32 (<see cref="OutlierColumns"/>).
/// </remarks>
internal sealed class Int8Linear : LinearLayer
{
    private readonly float _threshold;
    private readonly float[] _weightScales;

    /// <summary>Prepares a layer.</summary>
    /// <param name="weights">Row-wise int8 weights, used in place; copied where they lie in the panels of native kernels.</param>
    /// <param name="threshold">Outlier threshold; 0 for none.</param>
    /// <exception cref="ArgumentException">The weights are not row-wise, or too wide for exact 32-bit sums.</exception>
    public Int8Linear(LinearWeights weights, float threshold)
        : base(weights with { Weight = weights.Weight.InRows() })
    {
        if (weights.Weight.Scheme != QuantizationScheme.Rowwise)
        {
            throw new ArgumentException($"A linear layer's weights are stored as {weights.Weight.Scheme}; Int8 arithmetic needs {QuantizationScheme.Rowwise}. Quantise the model row-wise, or use {BloomCompute.Int8WeightOnly} or {BloomCompute.Float32}.", nameof(weights));
        }
        if (weights.Weight.Columns > Int8Tile.LongestRow)
        {
            throw new ArgumentException($"A linear layer has {weights.Weight.Columns} input features; exact 32-bit sums of int8 products allow {Int8Tile.LongestRow}. Use {BloomCompute.Int8WeightOnly}.", nameof(weights));
        }
        _threshold = threshold;
        _weightScales = Array.ConvertAll(weights.Weight.Scales, scale => scale / 127f);
    }

    /// <inheritdoc/>
    public override unsafe void Apply(ReadOnlySpan<float> x, ReadOnlySpan<int> rowOffsets, Span<float> y, EncoderBuffers buffers, int threads)
    {
        int tokens = rowOffsets[^1], inner = InFeatures;
        Span<short> codes = buffers.Codes(tokens * inner);
        Span<float> rowScales = buffers.RowScales(tokens);
        int[][] outliers = Quantize(x, rowOffsets, codes, rowScales);
        fixed (short* codesAddress = codes)
        fixed (float* scalesAddress = rowScales, output = y)
        {
            short* xs = codesAddress;
            float* scales = scalesAddress, ys = output;
            int panels = (OutFeatures + PanelRows - 1) / PanelRows;
            EncoderThreads.Run(panels, Degree(tokens, threads), panel => Panel(xs, scales, ys, tokens, panel * PanelRows));
        }
        for (int sentence = 0; sentence < outliers.Length; sentence++)
        {
            if (outliers[sentence].Length > 0)
            {
                int first = rowOffsets[sentence], count = rowOffsets[sentence + 1] - first;
                OutlierColumns.AddProducts(Weights.Weight, outliers[sentence], x.Slice(first * inner, count * inner), y.Slice(first * OutFeatures, count * OutFeatures));
            }
        }
        GC.KeepAlive(Weights.Weight.Owner);
    }

    /// <summary>Quantises all rows; returns each sentence's outlier columns, or nothing where there is no threshold.</summary>
    private int[][] Quantize(ReadOnlySpan<float> x, ReadOnlySpan<int> rowOffsets, Span<short> codes, Span<float> rowScales)
    {
        int inner = InFeatures;
        if (_threshold == 0)
        {
            for (int token = 0; token < rowScales.Length; token++)
            {
                rowScales[token] = RowQuantizer.Quantize(x.Slice(token * inner, inner), codes.Slice(token * inner, inner));
            }
            return [];
        }
        var outliers = new int[rowOffsets.Length - 1][];
        for (int sentence = 0; sentence < outliers.Length; sentence++)
        {
            int first = rowOffsets[sentence], count = rowOffsets[sentence + 1] - first;
            ReadOnlySpan<float> rows = x.Slice(first * inner, count * inner);
            outliers[sentence] = OutlierColumns.Quantize(rows, inner, _threshold, codes.Slice(first * inner, count * inner), rowScales.Slice(first, count));
        }
        return outliers;
    }

    private unsafe void Panel(short* x, float* rowScales, float* y, int tokens, int firstRow)
    {
        int inner = InFeatures, outer = OutFeatures;
        int endRow = Math.Min(firstRow + PanelRows, outer);
        sbyte* weights = (sbyte*)Weights.Weight.Address;
        sbyte** rows = stackalloc sbyte*[4];
        for (int block = 0; block < tokens; block += TokenBlock)
        {
            int blockEnd = Math.Min(tokens, block + TokenBlock);
            for (int row = firstRow; row < endRow; row += 4)
            {
                int count = Math.Min(4, endRow - row);
                for (int r = 0; r < 4; r++)
                {
                    rows[r] = weights + ((long)(row + Math.Min(r, count - 1)) * inner);
                }
                for (int token = block; token < blockEnd; token += 2)
                {
                    int second = Math.Min(token + 1, blockEnd - 1);
                    Int8Tile.Multiply(rows, x + ((long)token * inner), x + ((long)second * inner), inner, out Vector128<int> sums, out Vector128<int> secondSums);
                    Dequantize(sums, rowScales[token], row, count, y + ((long)token * outer) + row);
                    Dequantize(secondSums, rowScales[second], row, count, y + ((long)second * outer) + row);
                }
            }
        }
    }

    private unsafe void Dequantize(Vector128<int> sums, float rowScale, int row, int count, float* y)
    {
        Vector128<float> scaled = Vector128.ConvertToSingle(sums) * rowScale;
        if (count == 4)
        {
            fixed (float* weightScales = &_weightScales[row], bias = &Weights.Bias[row])
            {
                ((scaled * Vector128.Load(weightScales)) + Vector128.Load(bias)).Store(y);
            }
            return;
        }
        for (int r = 0; r < count; r++)
        {
            y[r] = (scaled[r] * _weightScales[row + r]) + Weights.Bias[row + r];
        }
    }
}
