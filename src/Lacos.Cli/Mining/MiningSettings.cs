namespace Lacos.Cli.Mining;

/// <summary>Which of the similar texts are taken for negatives.</summary>
/// <param name="Negatives">Negatives of an anchor.</param>
/// <param name="Skip">The most similar of the texts that pass the bounds are left out, this many: they are the likeliest to be true after all.</param>
/// <param name="Range">How many of those after them are chosen from; equal to <paramref name="Negatives"/> takes the most similar.</param>
/// <param name="RelativeMargin">A negative's cosine is below that of the least similar true text by at least this share of its absolute value, so that a negative cosine, too, bounds from below itself; <see langword="null"/> for no such bound.</param>
/// <param name="AbsoluteMargin">A negative's cosine is at least this much below that of the least similar true text; <see langword="null"/> for no such bound.</param>
/// <param name="MaximumScore">Largest cosine of a negative.</param>
/// <param name="MinimumScore">Smallest cosine of a negative.</param>
/// <param name="Seed">Decides the choice.</param>
internal sealed record MiningSettings(int Negatives, int Skip, int Range, double? RelativeMargin, double? AbsoluteMargin, double? MaximumScore, double? MinimumScore, int Seed)
{
    /// <summary>Texts to find for each anchor.</summary>
    public long Depth => (long)Skip + Range;

    /// <summary>Largest cosine of a negative.</summary>
    /// <param name="leastTrue">Cosine of the least similar true text.</param>
    public float Ceiling(float leastTrue)
    {
        double ceiling = MaximumScore ?? double.PositiveInfinity;
        ceiling = RelativeMargin is double relative ? Math.Min(ceiling, leastTrue - (Math.Abs(leastTrue) * relative)) : ceiling;
        return (float)(AbsoluteMargin is double absolute ? Math.Min(ceiling, leastTrue - absolute) : ceiling);
    }
}
