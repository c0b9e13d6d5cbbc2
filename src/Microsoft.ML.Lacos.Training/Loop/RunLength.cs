using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Where a run ends.</summary>
/// <param name="Total">Steps of the whole run, by which the schedule goes.</param>
/// <param name="Last">Step after which it stops.</param>
internal readonly record struct RunLength(long Total, long Last)
{
    // What a TimeSpan holds is a little more: 29,000 years.
    private const double MostSeconds = 9e11;

    /// <summary>Time of so many steps, as long as a time can be at most.</summary>
    public static TimeSpan TimeOf(double secondsOfStep, long steps) => TimeSpan.FromSeconds(Math.Min(secondsOfStep * steps, MostSeconds));

    /// <summary>Ends of the run that options ask for.</summary>
    public static RunLength Of(LacosBloomTrainer.Options options, MixedSampler sampler)
    {
        long total = options.Steps > 0 ? options.Steps : options.Epochs * sampler.StepsPerEpoch;
        return new RunLength(total, options.StopAtStep > 0 ? Math.Min(total, options.StopAtStep) : total);
    }
}
