using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Makes the loss that options ask for.</summary>
internal static class LossOfOptions
{
    /// <summary>The labels that a loss needs.</summary>
    public static LossLabel LabelOf(TrainingLoss loss) => loss switch
    {
        TrainingLoss.MultipleNegativesRanking => LossLabel.None,
        TrainingLoss.Softmax => LossLabel.Class,
        TrainingLoss.Contrastive => LossLabel.Match,
        _ => LossLabel.Similarity,
    };

    /// <summary>Fewest rows from which a loss learns something.</summary>
    public static int SmallestBatch(LacosBloomTrainer.Options options) => options.Loss switch
    {
        TrainingLoss.MultipleNegativesRanking when options.NegativeColumnNames.Count == 0 => 2,
        TrainingLoss.CoSent or TrainingLoss.Angle => 2,
        _ => 1,
    };

    /// <summary>Makes the loss.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="dimension">Elements of a vector.</param>
    /// <param name="classes">Classes of the labels.</param>
    public static SentenceLoss Create(LacosBloomTrainer.Options options, int dimension, int classes)
    {
        SentenceLoss loss = options.Loss switch
        {
            TrainingLoss.CoSent => new CoSentLoss(options.Scale),
            TrainingLoss.Angle => new AngleLoss(options.Scale),
            TrainingLoss.CosineSimilarity => new CosineSimilarityLoss(),
            TrainingLoss.Contrastive => new ContrastiveLoss(options.Margin),
            TrainingLoss.Softmax => new SoftmaxLoss(dimension, classes, seed: options.Seed),
            _ => new MultipleNegativesRankingLoss(options.Scale, options.BothDirections),
        };
        return options.MatryoshkaDimensions.Count == 0 ? loss : new MatryoshkaLoss(loss, options.MatryoshkaDimensions);
    }
}
