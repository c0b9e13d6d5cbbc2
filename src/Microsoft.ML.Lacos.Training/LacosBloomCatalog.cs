using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML;

/// <summary>Fine-tuning of sentence embedding among the regression trainers of an <see cref="MLContext"/>.</summary>
public static class LacosBloomCatalog
{
    /// <summary>Creates a <see cref="LacosBloomTrainer"/>, which fine-tunes an 8-bit BLOOM on pairs of sentences.</summary>
    /// <param name="catalog">The regression trainers.</param>
    /// <param name="sentence1ColumnName">Column of the first sentences.</param>
    /// <param name="sentence2ColumnName">Column of the second sentences.</param>
    /// <param name="labelColumnName">Column of labels of the kind that <paramref name="loss"/> needs; <see langword="null"/> takes <c>Label</c> where it needs one.</param>
    /// <param name="loss">What is minimised.</param>
    /// <param name="model">The base model: a <c>.lacos</c> file or a model folder; <see langword="null"/> takes the embedded default model.</param>
    /// <param name="loraRank">Rank of the adapters.</param>
    /// <param name="learningRate">Largest learning rate.</param>
    /// <param name="batchSize">Rows of a step.</param>
    /// <param name="epochs">Passes over the data.</param>
    /// <param name="validationSet">Scored pairs on which the adapter is judged; <see langword="null"/> for none.</param>
    /// <exception cref="ArgumentException">An argument is not valid; the message names it and its value.</exception>
    /// <example><code>
    /// var trainer = mlContext.Regression.Trainers.LacosBloom("Sentence1", "Sentence2", epochs: 1);
    /// SentenceEmbeddingTransformer tuned = trainer.Fit(pairs);
    /// </code></example>
    public static LacosBloomTrainer LacosBloom(
        this RegressionCatalog.RegressionTrainers catalog,
        string sentence1ColumnName = "Sentence1",
        string sentence2ColumnName = "Sentence2",
        string? labelColumnName = null,
        TrainingLoss loss = TrainingLoss.MultipleNegativesRanking,
        string? model = null,
        int loraRank = 8,
        double learningRate = 2e-4,
        int batchSize = 32,
        int epochs = 1,
        IDataView? validationSet = null)
        => LacosBloom(catalog, new LacosBloomTrainer.Options
        {
            Sentence1ColumnName = sentence1ColumnName,
            Sentence2ColumnName = sentence2ColumnName,
            LabelColumnName = labelColumnName,
            Loss = loss,
            Model = model,
            LoraRank = loraRank,
            LearningRate = learningRate,
            BatchSize = batchSize,
            Epochs = epochs,
            ValidationSet = validationSet,
        });

    /// <summary>Creates a <see cref="LacosBloomTrainer"/> with all its options.</summary>
    /// <param name="catalog">The regression trainers.</param>
    /// <param name="options">Read now, so that later changes of the object have no effect.</param>
    /// <exception cref="ArgumentException">An option is not valid; the message names it and its value.</exception>
    /// <example>A few labelled texts instead of pairs, before a classifier. The vectors have norm 1, and the regularisation that <c>LbfgsMaximumEntropy</c> has by default
    /// takes all weights of a few such rows: use <c>SdcaMaximumEntropy()</c> or <c>LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)</c>.<code>
    /// var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(mlContext.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options { TextColumnName = "Text", Steps = 60, LearningRate = 3e-3, LoraRank = 16 }))
    ///     .Append(mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy());
    /// </code></example>
    public static LacosBloomTrainer LacosBloom(this RegressionCatalog.RegressionTrainers catalog, LacosBloomTrainer.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new LacosBloomTrainer(CatalogEnvironment.Of(catalog), options);
    }
}
