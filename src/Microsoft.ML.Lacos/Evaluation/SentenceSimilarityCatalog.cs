using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML;

/// <summary>Evaluation of sentence vectors on semantic textual similarity.</summary>
public static class SentenceSimilarityCatalog
{
    /// <summary>Correlates people's similarity scores with the similarity of two columns of sentence vectors.</summary>
    /// <param name="catalog">The regression catalog: <c>mlContext.Regression</c>.</param>
    /// <param name="data">Data with a label and two vectors a row, for example what a <c>SentenceEmbeddingTransformer</c> made.</param>
    /// <param name="labelColumnName">
    /// Column of gold scores, of any number type or Boolean, on any scale; larger means more alike. A row whose label is missing (NaN) is left out and counted in
    /// <see cref="SentenceSimilarityMetrics.MissingLabelCount"/>.
    /// </param>
    /// <param name="embedding1ColumnName">Column of vectors of the first sentences: a vector of <see cref="float"/> or <see cref="double"/>, of <see cref="sbyte"/> (int8 precision) or of <see cref="byte"/> (sign bits).</param>
    /// <param name="embedding2ColumnName">Column of vectors of the second sentences, of the same type.</param>
    /// <returns>Pearson's and Spearman's correlation of cosine, dot product, negative Euclidean and negative Manhattan distance with the label.</returns>
    /// <remarks>One pass; memory holds five numbers a pair. See <see cref="SentenceSimilarityMetrics"/> for what is undefined.</remarks>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or the two differ in length or precision.</exception>
    /// <exception cref="InvalidOperationException">The two columns were made by different models.</exception>
    /// <exception cref="InvalidDataException">A label is infinite or a vector has an element that is not finite; the message names the row.</exception>
    public static SentenceSimilarityMetrics EvaluateSentenceSimilarity(
        this RegressionCatalog catalog, IDataView data, string labelColumnName = "Label", string embedding1ColumnName = "Embedding1", string embedding2ColumnName = "Embedding2")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        return SentenceSimilarityEvaluator.Evaluate(data, labelColumnName, embedding1ColumnName, embedding2ColumnName);
    }

    /// <summary>Fits an estimator on all but one fold of the data and evaluates it on that fold, for each fold in turn.</summary>
    /// <param name="catalog">The regression catalog: <c>mlContext.Regression</c>.</param>
    /// <param name="data">The data.</param>
    /// <param name="estimator">What to fit; its transformer adds the two embedding columns.</param>
    /// <param name="numberOfFolds">How many folds, at least 2 and at most one a row.</param>
    /// <param name="labelColumnName">As in <see cref="EvaluateSentenceSimilarity"/>.</param>
    /// <param name="embedding1ColumnName">As in <see cref="EvaluateSentenceSimilarity"/>.</param>
    /// <param name="embedding2ColumnName">As in <see cref="EvaluateSentenceSimilarity"/>.</param>
    /// <param name="samplingKeyColumnName">Rows with equal values of this column stay in one fold; <see langword="null"/> splits row by row.</param>
    /// <param name="seed">Seed of the split; <see langword="null"/> for that of the <see cref="MLContext"/>.</param>
    /// <returns>Model, metrics, scored hold-out set and number of each fold, as in <see cref="RegressionCatalog.CrossValidate"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="numberOfFolds"/> is below 2, or above the number of rows.</exception>
    /// <exception cref="ArgumentException">As in <see cref="EvaluateSentenceSimilarity"/>, or the estimator does not fit the data.</exception>
    public static IReadOnlyList<TrainCatalogBase.CrossValidationResult<SentenceSimilarityMetrics>> CrossValidateSentenceSimilarity(
        this RegressionCatalog catalog,
        IDataView data,
        IEstimator<ITransformer> estimator,
        int numberOfFolds = 5,
        string labelColumnName = "Label",
        string embedding1ColumnName = "Embedding1",
        string embedding2ColumnName = "Embedding2",
        string? samplingKeyColumnName = null,
        int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        if (numberOfFolds < 2)
        {
            throw new ArgumentOutOfRangeException(nameof(numberOfFolds), numberOfFolds, $"The number of folds is {numberOfFolds}; it must be at least 2: a model is measured on rows it has not seen.");
        }
        CrossValidation.RequireRows(data, numberOfFolds);
        return CrossValidation.Run(
            catalog, data, estimator, numberOfFolds, samplingKeyColumnName, seed, scored => catalog.EvaluateSentenceSimilarity(scored, labelColumnName, embedding1ColumnName, embedding2ColumnName));
    }
}
