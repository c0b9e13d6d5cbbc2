using System.Diagnostics;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Estimates what a run takes.</summary>
internal static class PlanOfRun
{
    // fp32 vectors of the hidden size that the graph keeps for one token and block: two norms' inputs and outputs, query, key, value and context, the residuals,
    // and twice the feed-forward width before and after its activation.
    private const int VectorsPerToken = 20;
    private const int TimedSteps = 3;

    /// <summary>Plans a run on data that has been read, and times a few steps that nobody keeps.</summary>
    public static TrainingPlan Of(LacosModel model, LoadedData data, LacosBloomTrainer.Options options)
    {
        var sampler = new MixedSampler(data.Datasets, options.Seed, options.BucketByLength);
        using var trainer = new BatchTrainer(model, data, options);
        BloomConfig config = model.Weights.Config;
        long trained = trainer.Optimizer.Parameters.Sum(item => item.Value.NumberOfElements);
        double mean = (double)data.Tokens.TokenCount / data.Tokens.Count;
        double activations = data.Datasets.Max(dataset => Activations(config, dataset, options, mean, data.Tokens.Longest));
        long weights = Bytes(model.Weights.WordEmbeddings) + model.Weights.Blocks.Sum(Bytes);
        long tokens = (data.Tokens.TokenCount * sizeof(int)) - data.Tokens.SpilledBytes;
        long total = weights + (3 * sizeof(float) * trained) + trainer.Optimizer.StateByteSize + tokens + (long)activations;
        long steps = options.Steps > 0 ? options.Steps : options.Epochs * sampler.StepsPerEpoch;
        return new TrainingPlan(
            data.Rows, data.Tokens.Count, data.LongTexts, mean, sampler.StepsPerEpoch, steps, trained, trainer.Optimizer.StateByteSize, total, SecondsOfStep(trainer, sampler) * steps);
    }

    // The first step also warms up: it is not timed.
    private static TimeSpan SecondsOfStep(BatchTrainer trainer, MixedSampler sampler)
    {
        trainer.Step(sampler.Next(), 1, learningRate: 0);
        var clock = Stopwatch.StartNew();
        for (int step = 0; step < TimedSteps; step++)
        {
            trainer.Step(sampler.Next(), step + 2, learningRate: 0);
        }
        return clock.Elapsed / TimedSteps;
    }

    private static double Activations(BloomConfig config, LoadedDataset dataset, LacosBloomTrainer.Options options, double mean, long longest)
    {
        // Without the cache all columns of a batch are in one graph.
        long rows = dataset.Settings.BatchSize > options.MiniBatchSize ? options.MiniBatchSize : (long)dataset.Settings.BatchSize * dataset.Rows.Columns.Length;
        double tokens = Math.Min(rows * longest, (rows * mean) + (2 * longest));
        return sizeof(float) * config.LayerCount * ((tokens * config.HiddenSize * VectorsPerToken) + (2.0 * rows * config.HeadCount * longest * longest));
    }

    private static long Bytes(BloomBlockWeights block) =>
        block.Linears.Sum(linear => Bytes(linear.Weight));

    // A float matrix is held twice: where it was loaded, and as the graph's own tensor.
    private static long Bytes(WeightMatrix matrix) => (long)matrix.Rows * matrix.Columns * (matrix.Scheme == QuantizationScheme.None ? 2 * sizeof(float) : 1);
}
