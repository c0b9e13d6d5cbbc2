using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Labels and scores gathered pair by pair: five numbers a pair, never the vectors.</summary>
internal sealed class SimilarityScores
{
    private readonly List<double> _labels = [];
    private readonly List<double> _cosine = [];
    private readonly List<double> _dot = [];
    private readonly List<double> _euclidean = [];
    private readonly List<double> _manhattan = [];

    /// <summary>Pairs with a label.</summary>
    public int Count => _labels.Count;

    /// <summary>Pairs left out because their label is NaN.</summary>
    public long MissingLabelCount { get; private set; }

    public ReadOnlySpan<double> Labels => CollectionsMarshal.AsSpan(_labels);

    public ReadOnlySpan<double> Cosine => CollectionsMarshal.AsSpan(_cosine);

    public ReadOnlySpan<double> Dot => CollectionsMarshal.AsSpan(_dot);

    public ReadOnlySpan<double> Euclidean => CollectionsMarshal.AsSpan(_euclidean);

    public ReadOnlySpan<double> Manhattan => CollectionsMarshal.AsSpan(_manhattan);

    /// <summary>Adds one pair.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="label">The gold score; NaN means missing.</param>
    /// <param name="left">Vector of the first sentence.</param>
    /// <param name="right">Vector of the second sentence.</param>
    /// <exception cref="InvalidDataException">The label is infinite, or a vector has an element that is not finite.</exception>
    public void Add<T>(double label, ReadOnlySpan<T> left, ReadOnlySpan<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (double.IsNaN(label))
        {
            MissingLabelCount++;
            return;
        }
        if (double.IsInfinity(label))
        {
            throw new InvalidDataException($"The label is {label}, which has no place on a scale. Correct it, or leave it missing (NaN).");
        }
        PairSimilarity similarity = PairSimilarity.Of(left, right);
        if (!double.IsFinite(similarity.Manhattan))
        {
            throw new InvalidDataException($"The two vectors hold a value that is not finite (their Manhattan distance is {-similarity.Manhattan}). Look at what produced them: a sound model never gives NaN or infinity.");
        }
        _labels.Add(label);
        _cosine.Add(similarity.Cosine);
        _dot.Add(similarity.Dot);
        _euclidean.Add(similarity.Euclidean);
        _manhattan.Add(similarity.Manhattan);
    }

    public SentenceSimilarityMetrics ToMetrics() => new(this);
}
