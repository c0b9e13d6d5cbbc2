using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>
/// The mixed decomposition of LLM.int8 (arXiv 2208.07339, section 3.2): feature columns that hold an outlier are taken out of the int8 product and computed in fp32.
/// </summary>
/// <remarks>
/// Which columns is decided from one sentence's rows, never across a batch: a sentence's vector may not depend on its neighbours.
/// A row's absolute maximum is over all of its elements below the threshold, those in outlier columns included, as in the reference.
/// </remarks>
internal static class OutlierColumns
{
    /// <summary>Finds the outlier columns of a sentence and quantises its rows without them.</summary>
    /// <param name="x">[tokens, width], the rows of one sentence.</param>
    /// <param name="width">Features.</param>
    /// <param name="threshold">A magnitude of at least this much makes a column an outlier column.</param>
    /// <param name="codes">Output, [tokens, width]; 0 in outlier columns.</param>
    /// <param name="rowScales">Output, absmax / 127 of each row.</param>
    /// <returns>The outlier columns, ascending.</returns>
    public static int[] Quantize(ReadOnlySpan<float> x, int width, float threshold, Span<short> codes, Span<float> rowScales)
    {
        bool[] isOutlier = new bool[width];
        int found = 0;
        for (int start = 0; start < x.Length; start += width)
        {
            ReadOnlySpan<float> row = x.Slice(start, width);
            for (int column = 0; column < width; column++)
            {
                if (MathF.Abs(row[column]) >= threshold && !isOutlier[column])
                {
                    isOutlier[column] = true;
                    found++;
                }
            }
        }
        var columns = new int[found];
        for (int column = 0, next = 0; column < width; column++)
        {
            if (isOutlier[column])
            {
                columns[next++] = column;
            }
        }
        float[] kept = new float[width];
        for (int token = 0; token < rowScales.Length; token++)
        {
            ReadOnlySpan<float> row = x.Slice(token * width, width);
            Span<short> rowCodes = codes.Slice(token * width, width);
            if (found == 0)
            {
                rowScales[token] = RowQuantizer.Quantize(row, rowCodes);
                continue;
            }
            row.CopyTo(kept);
            foreach (int column in columns)
            {
                kept[column] = MathF.Abs(row[column]) >= threshold ? 0 : row[column];
            }
            float absmax = MathF.Abs(TensorPrimitives.MaxMagnitude<float>(kept));
            foreach (int column in columns)
            {
                kept[column] = 0;
            }
            rowScales[token] = RowQuantizer.Quantize(kept, absmax, rowCodes);
        }
        return columns;
    }

    /// <summary>Adds the fp32 products of the outlier columns to a sentence's output.</summary>
    /// <param name="weights">[out, width], row-wise int8.</param>
    /// <param name="columns">Outlier columns.</param>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, out], added to.</param>
    public static unsafe void AddProducts(WeightMatrix weights, int[] columns, ReadOnlySpan<float> x, Span<float> y)
    {
        int width = weights.Columns, outer = weights.Rows;
        int tokens = x.Length / width;
        float[] gatheredX = new float[tokens * columns.Length];
        for (int token = 0; token < tokens; token++)
        {
            for (int c = 0; c < columns.Length; c++)
            {
                gatheredX[(token * columns.Length) + c] = x[(token * width) + columns[c]];
            }
        }
        float[] gatheredRow = new float[columns.Length];
        for (int row = 0; row < outer; row++)
        {
            sbyte* codes = (sbyte*)weights.Address + ((long)row * width);
            float scale = weights.Scales[row] / 127f;
            for (int c = 0; c < columns.Length; c++)
            {
                gatheredRow[c] = codes[columns[c]] * scale;
            }
            for (int token = 0; token < tokens; token++)
            {
                y[(token * outer) + row] += FixedOrder.Dot(gatheredX.AsSpan(token * columns.Length, columns.Length), gatheredRow);
            }
        }
    }
}
