namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Correlation coefficients of two series, in double arithmetic.</summary>
internal static class Correlation
{
    /// <summary>Pearson's product-moment correlation.</summary>
    /// <param name="x">Finite values.</param>
    /// <param name="y">As many finite values.</param>
    /// <returns>A value in [-1, 1]; <see cref="double.NaN"/> (undefined) for fewer than two values or where a series is constant.</returns>
    /// <remarks>
    /// Two passes, so that a large mean cancels before anything is squared. Whether a series is constant is decided on the values themselves:
    /// the rounding error of their mean would otherwise pass for variance.
    /// </remarks>
    public static double Pearson(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length)
        {
            throw new ArgumentException($"Series of {x.Length} and {y.Length} values cannot be correlated. Pass as many of one as of the other.", nameof(y));
        }
        if (IsConstant(x) || IsConstant(y))
        {
            return double.NaN;
        }
        double meanX = Mean(x);
        double meanY = Mean(y);
        double largestX = LargestDeviation(x, meanX);
        double largestY = LargestDeviation(y, meanY);
        double covariance = 0;
        double varianceX = 0;
        double varianceY = 0;
        for (int i = 0; i < x.Length; i++)
        {
            // Scaled to at most 1: squares of tiny or huge deviations would leave the range of a double.
            double dx = (x[i] - meanX) / largestX;
            double dy = (y[i] - meanY) / largestY;
            covariance += dx * dy;
            varianceX += dx * dx;
            varianceY += dy * dy;
        }
        return Math.Clamp(covariance / (Math.Sqrt(varianceX) * Math.Sqrt(varianceY)), -1, 1);
    }

    /// <summary>Spearman's rank correlation: Pearson's correlation of the ranks, where equal values share the mean of their ranks.</summary>
    /// <param name="x">Finite values.</param>
    /// <param name="y">As many finite values.</param>
    /// <returns>As <see cref="Pearson"/>.</returns>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => Pearson(AverageRanks(x), AverageRanks(y));

    /// <summary>Ranks from 1; equal values share the mean of the ranks they cover.</summary>
    /// <param name="values">Values; none may be NaN.</param>
    public static double[] AverageRanks(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray();
        var positions = new int[sorted.Length];
        for (int i = 0; i < positions.Length; i++)
        {
            positions[i] = i;
        }
        Array.Sort(sorted, positions);
        var ranks = new double[sorted.Length];
        for (int first = 0; first < sorted.Length;)
        {
            int end = first + 1;
            while (end < sorted.Length && sorted[end] == sorted[first])
            {
                end++;
            }
            // Ranks first + 1 ... end.
            double shared = (first + 1 + end) / 2.0;
            for (int i = first; i < end; i++)
            {
                ranks[positions[i]] = shared;
            }
            first = end;
        }
        return ranks;
    }

    private static bool IsConstant(ReadOnlySpan<double> values) => values.Length < 2 || !values.ContainsAnyExcept(values[0]);

    private static double Mean(ReadOnlySpan<double> values)
    {
        double mean = 0;
        for (int i = 0; i < values.Length; i++)
        {
            mean += (values[i] - mean) / (i + 1);
        }
        return mean;
    }

    private static double LargestDeviation(ReadOnlySpan<double> values, double mean)
    {
        double largest = 0;
        foreach (double value in values)
        {
            largest = Math.Max(largest, Math.Abs(value - mean));
        }
        return largest;
    }
}
