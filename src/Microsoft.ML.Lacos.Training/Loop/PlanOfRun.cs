using System.Diagnostics;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Training.Checkpoints;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Estimates what a run takes.</summary>
internal static class PlanOfRun
{
    private const int TimedSteps = 3;

    /// <summary>Plans a run on data that has been read, and times a few steps that nobody keeps.</summary>
    /// <exception cref="InvalidOperationException">The run would be refused its output folder, or ranks are not about to do the same.</exception>
    /// <exception cref="InvalidDataException">The run could not be resumed.</exception>
    public static TrainingPlan Of(LacosModel model, LoadedData data, ValidationSet? validation, LacosBloomTrainer.Options options, Action<string> inform)
    {
        var sampler = new MixedSampler(data.Datasets, options.Seed, options.BucketByLength);
        foreach (string note in sampler.Notes)
        {
            inform(note);
        }
        RunLength length = RunLength.Of(options, sampler);
        using var trainer = new BatchTrainer(model, data, options);
        long left = StepsLeft(model, data, validation, options, trainer, sampler, length, inform);
        long trained = trainer.Optimizer.Parameters.Sum(item => item.Value.NumberOfElements);
        double mean = (double)data.Tokens.TokenCount / data.Tokens.Count;
        var memory = new StepMemory(trainer.Model, model.Weights, options);
        long activations = data.Datasets.Max(dataset => memory.Activations(dataset, mean, data.Tokens.Longest));
        long tokens = (data.Tokens.TokenCount * sizeof(int)) - data.Tokens.SpilledBytes;
        long evaluation = validation is null ? 0 : memory.OfEvaluation();
        long total = memory.Weights(data.Tokens.TokenCount) + (3 * sizeof(float) * trained) + trainer.Optimizer.StateByteSize + tokens + activations + evaluation;
        return new TrainingPlan(
            data.Rows, data.Tokens.Count, data.LongTexts, mean, sampler.StepsPerEpoch, length.Total, left, trained, trainer.Optimizer.StateByteSize, total, RunLength.TimeOf(SecondsOfStep(trainer, sampler), left));
    }

    private static long StepsLeft(
        LacosModel model, LoadedData data, ValidationSet? validation, LacosBloomTrainer.Options options, BatchTrainer trainer, MixedSampler sampler, RunLength length, Action<string> inform)
    {
        var ranks = new Ranks(options.ProcessGroup);
        if (options.OutputFolder is null && !ranks.AreMany)
        {
            return length.Last;
        }
        IReadOnlyDictionary<string, string> settings = RunSettings.Of(model, data.Datasets, options, length.Total);
        CheckpointState? state = options.OutputFolder is not string folder ? null : EarlierRun.StateToContinue(
            new CheckpointFolder(folder, settings, options.KeepCheckpoints), options, earlier => StateOfTrainer.Require(trainer, earlier), sampler, length.Total, inform);
        if (ranks.AreMany)
        {
            ranks.RequireSame(RunSettings.OfRanks(settings, options, validation?.Fingerprint, state));
        }
        return state is null ? length.Last
            : state.Validation == validation?.Fingerprint && TrainingRun.IsOutOfPatience(options, state.EvaluationsWithoutGain) ? 0
            : Math.Max(0, length.Last - state.Step);
    }

    // The first step also warms up: it is not timed.
    private static double SecondsOfStep(BatchTrainer trainer, MixedSampler sampler)
    {
        trainer.Step(sampler.Next(), 1, learningRate: 0);
        var clock = Stopwatch.StartNew();
        for (int step = 0; step < TimedSteps; step++)
        {
            trainer.Step(sampler.Next(), step + 2, learningRate: 0);
        }
        return clock.Elapsed.TotalSeconds / TimedSteps;
    }
}
