using System.Globalization;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Passes progress on, and tells it through <see cref="MLContext.Log"/>: evaluations as information, steps as traces.</summary>
internal sealed class ChannelProgress(IChannel channel, IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        string text = Text(value);
        if (value.Spearman is double spearman)
        {
            channel.Info(MessageSensitivity.None, "{0}, Spearman {1}", text, spearman.ToString("F4", CultureInfo.InvariantCulture));
        }
        else
        {
            channel.Trace(MessageSensitivity.None, "{0}", text);
        }
        next?.Report(value);
    }

    /// <summary>What a step's message says.</summary>
    internal static string Text(TrainingProgress value) => string.Create(
        CultureInfo.InvariantCulture,
        $"Step {value.Step} of {value.TotalSteps}: loss {value.Loss:F4}, learning rate {value.LearningRate:G3}, {value.SentencesPerSecond:F0} sentences/s, {(long)value.TimeLeft.TotalHours:00}:{value.TimeLeft:mm\\:ss} left");
}
