namespace Microsoft.ML.Lacos.Quantization;

/// <summary>LLM.int8 (arXiv 2208.07339) in plain loops: what every faster path is compared with.</summary>
/// <remarks>
/// With a threshold above 0, elements of at least that magnitude are outliers and their columns are computed in fp32 against the dequantised weights;
/// the matrix given is one sentence, so its outliers are its own. Integer sums are exact for up to 133,144 input features.
/// </remarks>
internal static class LlmInt8
{
    /// <summary>Columns with an element of at least the threshold in magnitude, ascending; none for a threshold of 0.</summary>
    /// <param name="input">[rows, columns].</param>
    /// <param name="columns">Columns.</param>
    /// <param name="threshold">0 turns outliers off; the reference's value is 6.</param>
    public static int[] OutlierColumns(ReadOnlySpan<float> input, int columns, float threshold)
    {
        var isOutlier = new bool[columns];
        for (int index = 0; index < input.Length; index++)
        {
            isOutlier[index % columns] |= IsOutlier(input[index], threshold);
        }
        return [.. Enumerable.Range(0, columns).Where(column => isOutlier[column])];
    }

    /// <summary>Quantises rows of activations.</summary>
    /// <param name="input">[rows, columns], finite.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="threshold">0 turns outliers off.</param>
    /// <param name="codes">Output, [rows, columns]; 0 in outlier columns.</param>
    /// <param name="absmax">Output, [rows]: the largest magnitude of each row over all elements that are not outliers themselves.</param>
    /// <returns>The outlier columns.</returns>
    public static int[] QuantizeRows(ReadOnlySpan<float> input, int columns, float threshold, Span<sbyte> codes, Span<float> absmax)
    {
        int[] outliers = OutlierColumns(input, columns, threshold);
        var kept = new float[columns];
        for (int row = 0; row < absmax.Length; row++)
        {
            ReadOnlySpan<float> values = input.Slice(row * columns, columns);
            Span<sbyte> rowCodes = codes.Slice(row * columns, columns);
            for (int column = 0; column < columns; column++)
            {
                kept[column] = IsOutlier(values[column], threshold) ? 0 : values[column];
            }
            absmax[row] = UnitMaximum.Of(kept);
            RowwiseQuantizer.QuantizeWithMaximum(kept, absmax[row], rowCodes);
            foreach (int column in outliers)
            {
                rowCodes[column] = 0;
            }
        }
        return outliers;
    }

    /// <summary>Computes <c>y = x Wᵀ + b</c>.</summary>
    /// <param name="input">[rows, in].</param>
    /// <param name="weight">Row-wise weights, [out, in].</param>
    /// <param name="bias">[out].</param>
    /// <param name="threshold">Outlier threshold, 0 for none.</param>
    /// <param name="output">Output, [rows, out].</param>
    public static void Linear(ReadOnlySpan<float> input, WeightMatrix weight, ReadOnlySpan<float> bias, float threshold, Span<float> output)
    {
        if (weight.Scheme != QuantizationScheme.Rowwise)
        {
            throw new ArgumentException($"int8 arithmetic needs row-wise weights, got {weight.Scheme}. Use weight-only arithmetic.", nameof(weight));
        }
        int columns = weight.Columns;
        int rows = input.Length / columns;
        var codes = new sbyte[input.Length];
        var absmax = new float[rows];
        int[] outliers = QuantizeRows(input, columns, threshold, codes, absmax);
        var weightRow = new float[columns];
        var weightCodes = new sbyte[columns];
        for (int unit = 0; unit < weight.Rows; unit++)
        {
            weight.CopyCodes(unit, weightCodes);
            weight.DequantizeHeldRow(unit, weightRow);
            for (int row = 0; row < rows; row++)
            {
                int sum = 0;
                for (int column = 0; column < columns; column++)
                {
                    sum += codes[(row * columns) + column] * weightCodes[column];
                }
                float value = (sum * (absmax[row] * weight.Scales[unit] * (1f / 16129f))) + bias[unit];
                foreach (int column in outliers)
                {
                    value += input[(row * columns) + column] * weightRow[column];
                }
                output[(row * weight.Rows) + unit] = value;
            }
        }
        GC.KeepAlive(weight);
    }

    private static bool IsOutlier(float value, float threshold) => threshold > 0 && Math.Abs(value) >= threshold;
}
