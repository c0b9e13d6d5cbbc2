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

    public static TrainingPlan Of(LacosModel model, TrainingSet data, int stepsPerEpoch, BatchTrainer trainer, LacosBloomTrainer.Options options)
    {
        BloomConfig config = model.Weights.Config;
        long trained = trainer.Optimizer.Parameters.Sum(item => item.Value.NumberOfElements);
        int[] lengths = [.. data.Tokens.Select(ids => ids.Length).OrderDescending()];
        long rows = (long)Math.Min(options.MiniBatchSize, options.BatchSize);

        // Without the cache all columns of a batch are in one graph.
        rows *= options.BatchSize > options.MiniBatchSize ? 1 : data.Columns.Length;
        double mean = data.Tokens.Average(ids => ids.Length);
        long longest = lengths[0];
        double tokens = Math.Min(rows * longest, (rows * mean) + (2 * longest));
        double activations = sizeof(float) * config.LayerCount * ((tokens * config.HiddenSize * VectorsPerToken) + (2.0 * rows * config.HeadCount * longest * longest));
        long weights = Bytes(model.Weights.WordEmbeddings) + model.Weights.Blocks.Sum(Bytes);
        long total = weights + (3 * sizeof(float) * trained) + trainer.Optimizer.StateByteSize + lengths.Sum(length => (long)length * sizeof(int)) + (long)activations;
        return new TrainingPlan(
            data.Count, data.Tokens.Length, data.LongTexts, mean, stepsPerEpoch, options.Steps > 0 ? options.Steps : (long)options.Epochs * stepsPerEpoch, trained, trainer.Optimizer.StateByteSize, total);
    }

    private static long Bytes(BloomBlockWeights block) =>
        new[] { block.QueryKeyValue, block.Dense, block.DenseHTo4H, block.Dense4HToH }.Sum(linear => Bytes(linear.Weight));

    // A float matrix is held twice: where it was loaded, and as the graph's own tensor.
    private static long Bytes(WeightMatrix matrix) => (long)matrix.Rows * matrix.Columns * (matrix.Scheme == QuantizationScheme.None ? 2 * sizeof(float) : 1);
}
