namespace Microsoft.ML.Lacos;

/// <summary>What a training run would do, found without keeping a step.</summary>
/// <param name="Rows">Rows of all data sets.</param>
/// <param name="DistinctTexts">Different texts in them; where first and second sentences have different prompts, a text that stands among both counts twice, here and in what follows.</param>
/// <param name="LongTexts">Texts with more tokens than the limit; their ends are not seen.</param>
/// <param name="MeanTokens">Mean tokens of a text after truncation.</param>
/// <param name="StepsPerEpoch">Batches that one pass over the data gives.</param>
/// <param name="TotalSteps">Steps of the run.</param>
/// <param name="StepsLeft">Steps that the run would make: up to <see cref="LacosBloomTrainer.Options.StopAtStep"/>, and without those that an earlier run has made where it is resumed.</param>
/// <param name="TrainedWeights">Weights that are trained.</param>
/// <param name="OptimizerBytes">Memory of the optimiser's moments.</param>
/// <param name="EstimatedTime">Estimated time of the steps left, from a few that were timed and thrown away; without evaluations and checkpoints.</param>
/// <param name="EstimatedBytes">Estimated peak memory for weights, adapters, moments, tokens and the activations of the largest chunk; without the runtime and libtorch themselves.</param>
public sealed record TrainingPlan(
    int Rows, int DistinctTexts, int LongTexts, double MeanTokens, long StepsPerEpoch, long TotalSteps, long StepsLeft, long TrainedWeights, long OptimizerBytes, long EstimatedBytes, TimeSpan EstimatedTime);
