using System.Diagnostics;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Checkpoints;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Estimates what a run takes.</summary>
internal static class PlanOfRun
{
    // fp32 vectors of the hidden size that the graph keeps for one token and block: two norms' inputs and outputs, query, key, value and context, the residuals,
    // and twice the feed-forward width before and after its activation.
    private const int VectorsPerToken = 20;
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
        BloomConfig config = model.Weights.Config;
        long trained = trainer.Optimizer.Parameters.Sum(item => item.Value.NumberOfElements);
        double mean = (double)data.Tokens.TokenCount / data.Tokens.Count;
        double activations = data.Datasets.Max(dataset => Activations(config, dataset, options, mean, data.Tokens.Longest));
        long weights = Bytes(model.Weights.WordEmbeddings) + model.Weights.Blocks.Sum(Bytes);
        long tokens = (data.Tokens.TokenCount * sizeof(int)) - data.Tokens.SpilledBytes;
        long total = weights + (3 * sizeof(float) * trained) + trainer.Optimizer.StateByteSize + tokens + (long)activations;
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

    private static double Activations(BloomConfig config, LoadedDataset dataset, LacosBloomTrainer.Options options, double mean, long longest)
    {
        // Without the cache all columns of a batch are in one graph.
        long batch = Math.Min(dataset.Settings.BatchSize, dataset.Rows.Count);
        long rows = batch > options.MiniBatchSize ? options.MiniBatchSize : batch * dataset.Rows.Columns.Length;
        double tokens = Math.Min(rows * longest, (rows * mean) + (2 * longest));
        return sizeof(float) * config.LayerCount * ((tokens * config.HiddenSize * VectorsPerToken) + (2.0 * rows * config.HeadCount * longest * longest));
    }

    private static long Bytes(BloomBlockWeights block) =>
        block.Linears.Sum(linear => Bytes(linear.Weight));

    // A float matrix is held twice: where it was loaded, and as the graph's own tensor.
    private static long Bytes(WeightMatrix matrix) => (long)matrix.Rows * matrix.Columns * (matrix.Scheme == QuantizationScheme.None ? 2 * sizeof(float) : 1);
}
