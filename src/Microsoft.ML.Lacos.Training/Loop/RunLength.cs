using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Where a run ends.</summary>
/// <param name="Total">Steps of the whole run, by which the schedule goes.</param>
/// <param name="Last">Step after which it stops.</param>
internal readonly record struct RunLength(long Total, long Last)
{
    // A TimeSpan holds some three times as much.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3_650_000);

    /// <summary>Ends of the run that options ask for.</summary>
    public static RunLength Of(LacosBloomTrainer.Options options, MixedSampler sampler)
    {
        long total = options.Steps > 0 ? options.Steps : options.Epochs * sampler.StepsPerEpoch;
        return new RunLength(total, options.StopAtStep > 0 ? Math.Min(total, options.StopAtStep) : total);
    }

    /// <summary>Time that steps take, at most ten thousand years: epochs without number are ended by patience.</summary>
    /// <param name="secondsOfStep">Seconds that one takes.</param>
    /// <param name="steps">How many there are.</param>
    public static TimeSpan TimeOf(double secondsOfStep, long steps) => TimeSpan.FromSeconds(Math.Min(secondsOfStep * steps, Longest.TotalSeconds));
}
