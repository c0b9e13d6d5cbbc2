namespace Microsoft.ML.Lacos;

/// <summary>How far a training run is, after a step.</summary>
/// <param name="Step">Steps made.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Loss">Loss of the step's batch.</param>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="GradientNorm">Euclidean norm of all gradients before clipping.</param>
/// <param name="Spearman">Cosine Spearman on the validation set; <see langword="null"/> where this step was not followed by an evaluation.</param>
/// <param name="SentencesPerSecond">Sentences trained on a second since this process began, evaluations included.</param>
/// <param name="TimeLeft">Estimated time to the last step.</param>
/// <param name="Dataset">Name of the data set from which the step's batch came.</param>
public sealed record TrainingProgress(
    long Step, long TotalSteps, double Loss, double LearningRate, double GradientNorm, double? Spearman, double SentencesPerSecond, TimeSpan TimeLeft, string Dataset);
