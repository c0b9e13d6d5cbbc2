using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Makes the loss of a data set.</summary>
internal static class LossOfDataset
{
    /// <summary>The labels that a loss of pairs needs.</summary>
    public static LossLabel LabelOf(TrainingLoss loss) => loss switch
    {
        TrainingLoss.MultipleNegativesRanking => LossLabel.None,
        TrainingLoss.Softmax => LossLabel.Class,
        TrainingLoss.Contrastive => LossLabel.Match,
        TrainingLoss.MeanSquaredError => LossLabel.Vector,
        _ => LossLabel.Similarity,
    };

    /// <summary>Makes the loss.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="options">Checked options of the run.</param>
    /// <param name="dimension">Elements of a vector.</param>
    public static SentenceLoss Create(LoadedDataset dataset, LacosBloomTrainer.Options options, int dimension)
    {
        DatasetSettings settings = dataset.Settings;
        SentenceLoss loss = settings.Loss switch
        {
            TrainingLoss.CoSent => new CoSentLoss(settings.Scale),
            TrainingLoss.Angle => new AngleLoss(settings.Scale),
            TrainingLoss.CosineSimilarity => new CosineSimilarityLoss(),
            TrainingLoss.Contrastive => new ContrastiveLoss(settings.Margin),
            TrainingLoss.Softmax => new SoftmaxLoss(dimension, dataset.Rows.ClassCount, seed: options.Seed),
            TrainingLoss.MeanSquaredError => new MeanSquaredErrorLoss(),
            _ => new MultipleNegativesRankingLoss(settings.Scale, settings.BothDirections, labelsAreClasses: dataset.Rows.Classes is not null),
        };
        if (options.MatryoshkaDimensions.Count > 0)
        {
            loss = new MatryoshkaLoss(loss, options.MatryoshkaDimensions);
        }
        return settings.LossWeight == 1 ? loss : new WeightedLoss(loss, settings.LossWeight);
    }
}
