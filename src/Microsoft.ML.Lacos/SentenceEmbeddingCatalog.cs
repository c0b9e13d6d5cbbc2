using Microsoft.ML.Data;
using Microsoft.ML.Lacos;

namespace Microsoft.ML;

/// <summary>Sentence embedding among the text transforms of an <see cref="MLContext"/>.</summary>
public static class SentenceEmbeddingCatalog
{
    /// <summary>Creates a <see cref="SentenceEmbeddingEstimator"/>, which turns a text column into a column of sentence vectors.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="outputColumnName">Name of the new column: a vector of <see cref="float"/>, of Euclidean norm 1 (0 for a text without tokens).</param>
    /// <param name="inputColumnName">Name of the text column; <see langword="null"/> takes <paramref name="outputColumnName"/>.</param>
    /// <param name="model">A <c>.lacos</c> file or a model folder; <see langword="null"/> takes the embedded default model.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    /// <remarks>
    /// The elements of a vector of norm 1 are small, about 0.05: before a linear trainer with few labels, lower the regularisation of <c>LbfgsMaximumEntropy</c> and <c>LbfgsLogisticRegression</c>
    /// (<c>l1Regularization: 0, l2Regularization: 0.1f</c>), whose defaults leave no weights, or take <c>SdcaMaximumEntropy</c>.
    /// </remarks>
    /// <example><code>
    /// var pipeline = mlContext.Transforms.Text.ApplySentenceEmbedding("Features", "Text")
    ///     .Append(mlContext.Clustering.Trainers.KMeans("Features", numberOfClusters: 8));
    /// </code></example>
    public static SentenceEmbeddingEstimator ApplySentenceEmbedding(
        this TransformsCatalog.TextTransforms catalog, string outputColumnName, string? inputColumnName = null, string? model = null)
        => ApplySentenceEmbedding(catalog, new SentenceEmbeddingEstimator.Options { Model = model, Columns = [new(outputColumnName, inputColumnName)] });

    /// <summary>Creates a <see cref="SentenceEmbeddingEstimator"/> with all its options.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="options">Model, columns and everything else; read now, so that later changes of the object have no effect.</param>
    /// <exception cref="ArgumentException">An option is not valid; the message names it and its value.</exception>
    public static SentenceEmbeddingEstimator ApplySentenceEmbedding(this TransformsCatalog.TextTransforms catalog, SentenceEmbeddingEstimator.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new SentenceEmbeddingEstimator(CatalogUtils.GetEnvironment(catalog), options);
    }
}
