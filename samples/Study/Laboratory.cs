using Microsoft.ML;
using Microsoft.ML.Lacos;

namespace Study;

/// <summary>Makes cells: all that differs between two of them is what the cell says.</summary>
internal sealed class Laboratory(MLContext ml, Settings settings)
{
    private readonly Lazy<SentencePair[]> _pairs = new(() => UnlabelledPairs.Read(settings));

    public double[] Score(Cell cell)
    {
        using SentenceEmbeddingTransformer embedder = cell.Rank == 0 ? Untuned(cell) : Tuned(cell);
        return Judge.Score(ml, settings, embedder);
    }

    private SentenceEmbeddingTransformer Untuned(Cell cell) => ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options
    {
        Model = settings.ModelFolder(cell.Model),
        Compute = cell.Base,
        Columns = [new("Embedding1", "Sentence1"), new("Embedding2", "Sentence2")],
    }).Fit(ml.Data.LoadFromEnumerable<ScoredPair>([]));

    private SentenceEmbeddingTransformer Tuned(Cell cell) => ml.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options
    {
        Model = settings.ModelFolder(cell.Model),
        Compute = cell.Base,
        Loss = TrainingLoss.MultipleNegativesRanking,
        BothDirections = true,
        LoraTargets = settings.Targets,
        LoraRank = cell.Rank,
        LoraAlpha = 2 * cell.Rank,
        LoraDropout = 0,
        LearningRate = settings.LearningRate,
        Steps = settings.Steps,
        BatchSize = settings.BatchSize,
        MiniBatchSize = settings.BatchSize, // The models are small: no gradient cache, no second forward pass.
        Seed = settings.Seed,
    }).Fit(ml.Data.LoadFromEnumerable(_pairs.Value.Take(cell.Pairs)));
}
