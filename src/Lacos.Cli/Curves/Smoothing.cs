namespace Lacos.Cli.Curves;

/// <summary>An exponential mean without the pull of its first value: each mean is divided by the weight it has seen.</summary>
internal sealed class Smoothing(double keep)
{
    private double _sum;
    private double _weight;

    /// <summary>The mean so far; NaN before the first value.</summary>
    public double Mean => _weight > 0 ? _sum / _weight : double.NaN;

    /// <summary>A mean over about as many values.</summary>
    public static Smoothing Over(int values) => new(1 - (1.0 / Math.Max(1, values)));

    /// <summary>Takes a value in and gives the mean; what is not finite is passed over.</summary>
    public double Add(double value)
    {
        if (double.IsFinite(value))
        {
            _sum = (keep * _sum) + ((1 - keep) * value);
            _weight = (keep * _weight) + (1 - keep);
        }
        return Mean;
    }
}
