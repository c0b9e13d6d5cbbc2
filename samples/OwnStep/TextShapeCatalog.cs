using Microsoft.ML.Data;
using OwnStep;

namespace Microsoft.ML;

/// <summary>The step among ML.NET's text transforms: an extension method in their namespace.</summary>
public static class TextShapeCatalog
{
    /// <summary>Makes a vector of how a text is written.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="outputColumnName">The new column: a vector of five <see cref="float"/>, each of mean 0 and deviation 1 over the data that it is fitted on.</param>
    /// <param name="inputColumnName">The text column; <see langword="null"/> takes <paramref name="outputColumnName"/>.</param>
    /// <exception cref="ArgumentException">A name is empty.</exception>
    public static TextShapeEstimator MeasureTextShape(this TransformsCatalog.TextTransforms catalog, string outputColumnName, string? inputColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(outputColumnName);
        ArgumentOutOfRangeException.ThrowIfEqual(inputColumnName, "");
        return new TextShapeEstimator(CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName ?? outputColumnName);
    }
}
