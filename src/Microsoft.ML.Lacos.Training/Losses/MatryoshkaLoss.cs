using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Trains the leading dimensions of the vectors to be good vectors themselves, so that they can be cut short afterwards.</summary>
/// <remarks>
/// <para>The weighted sum of another loss over the vectors cut to each of the given dimensions and divided by their norms; a teacher's vectors are cut and normalised likewise.</para>
/// <para>Requirements: those of the loss around which it is put. Around <see cref="SoftmaxLoss"/>, which the reference cannot do, all dimensions share the leading part of one classifier.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>as the inner loss</term><description>as the inner loss</description></item>
/// </list>
/// <para>When to use: where stored vectors should be short (option <c>Dimension</c> when embedding) at little cost in quality.</para>
/// <para>Literature: Kusupati et al. 2022, arXiv 2205.13147; same values as <c>MatryoshkaLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new MatryoshkaLoss(new MultipleNegativesRankingLoss(), [384, 192, 96]);
/// using torch.Tensor value = loss.Forward([anchors, positives]);
/// </code></example>
public sealed class MatryoshkaLoss : SentenceLoss
{
    private readonly SentenceLoss _inner;
    private readonly (int Dimension, double Weight)[] _terms;

    /// <summary>Puts the loss around another, which it owns from then on.</summary>
    /// <param name="inner">The loss of each dimension.</param>
    /// <param name="dimensions">Leading dimensions to train, each once, in any order; none larger than the vectors.</param>
    /// <param name="weights">Weight of each dimension, positive; null for 1 each.</param>
    /// <exception cref="ArgumentException">The inner loss is itself a Matryoshka loss, there is no dimension or one twice, or not a weight for each.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A dimension or a weight is not positive.</exception>
    public MatryoshkaLoss(SentenceLoss inner, IReadOnlyList<int> dimensions, IReadOnlyList<double>? weights = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(dimensions);
        if (inner is MatryoshkaLoss)
        {
            throw new ArgumentException($"A Matryoshka loss cannot be put around {inner.Name}; give all dimensions to one.", nameof(inner));
        }
        if (dimensions.Count == 0 || dimensions.Distinct().Count() != dimensions.Count)
        {
            throw new ArgumentException($"Matryoshka needs one or more different dimensions, got [{string.Join(", ", dimensions)}].", nameof(dimensions));
        }
        if (weights is not null && weights.Count != dimensions.Count)
        {
            throw new ArgumentException($"Matryoshka needs a weight for each of its {dimensions.Count} dimensions, got {weights.Count}.", nameof(weights));
        }
        _inner = inner;
        _terms = [.. dimensions.Select((dimension, i) => (LossArguments.Positive(dimension), weights is null ? 1 : LossArguments.Positive(weights[i]))).OrderByDescending(term => term.Item1)];
    }

    /// <inheritdoc/>
    public override string Name => $"Matryoshka({_inner.Name})";

    /// <inheritdoc/>
    public override LossLabel Label => _inner.Label;

    /// <inheritdoc/>
    public override int MinimumColumns => _inner.MinimumColumns;

    /// <inheritdoc/>
    public override int MaximumColumns => _inner.MaximumColumns;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, torch.Tensor Value)> Parameters => _inner.Parameters;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels)
    {
        long dimension = embeddings[0].shape[1];
        if (_terms[0].Dimension > dimension)
        {
            throw new ArgumentException($"Matryoshka was asked for {_terms[0].Dimension} dimensions of vectors that have {dimension}; ask for fewer.", nameof(embeddings));
        }
        torch.Tensor? sum = null;
        foreach ((int length, double weight) in _terms)
        {
            torch.Tensor? shortLabels = Label == LossLabel.Vector ? Cut(labels!, length) : labels;
            torch.Tensor term = _inner.Compute([.. embeddings.Select(column => Cut(column, length))], shortLabels).Times(weight);
            sum = sum is null ? term : sum.Plus(term);
        }
        return sum!;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
        base.Dispose(disposing);
    }

    private static torch.Tensor Cut(torch.Tensor vectors, int length) => Similarities.Normalize(vectors.narrow(1, 0, length));
}
