namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>The learning rate of each step: a rise from 0, then a fall to 0.</summary>
internal sealed class LearningRates(LearningRateSchedule schedule, double largest, long steps, double warmupShare)
{
    private readonly long _warmup = (long)Math.Ceiling(steps * warmupShare);

    /// <summary>Learning rate of a step.</summary>
    /// <param name="step">Number of the step, from 1. The first of a run that warms up is above 0, the last of one that falls too.</param>
    public double Of(long step)
    {
        if (step <= _warmup)
        {
            return largest * step / _warmup;
        }
        double left = (double)(steps - step + 1) / (steps - _warmup);
        return largest * schedule switch
        {
            LearningRateSchedule.Linear => left,
            LearningRateSchedule.Cosine => (1 - Math.Cos(Math.PI * left)) / 2,
            _ => 1,
        };
    }
}
