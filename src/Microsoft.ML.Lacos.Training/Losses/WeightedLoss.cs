using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Multiplies another loss, and so its gradients, by a factor.</summary>
/// <remarks>
/// <para>Requirements: those of the loss around which it is put.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>as the inner loss</term><description>as the inner loss</description></item>
/// </list>
/// <para>When to use: where data sets with different losses are trained on in turn and one loss has much larger gradients than another.</para>
/// </remarks>
/// <example><code>
/// using var loss = new WeightedLoss(new CoSentLoss(), 0.3);
/// </code></example>
public sealed class WeightedLoss : SentenceLoss
{
    private readonly SentenceLoss _inner;
    private readonly double _weight;

    /// <summary>Puts the factor on another loss, which this one owns from then on.</summary>
    /// <param name="inner">The loss.</param>
    /// <param name="weight">The factor, positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a positive number.</exception>
    public WeightedLoss(SentenceLoss inner, double weight)
    {
        ArgumentNullException.ThrowIfNull(inner);
        (_inner, _weight) = (inner, LossArguments.Positive(weight));
    }

    /// <inheritdoc/>
    public override string Name => _inner.Name;

    /// <inheritdoc/>
    public override LossLabel Label => _inner.Label;

    /// <inheritdoc/>
    public override int MinimumColumns => _inner.MinimumColumns;

    /// <inheritdoc/>
    public override int MaximumColumns => _inner.MaximumColumns;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, torch.Tensor Value)> Parameters => _inner.Parameters;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels) => _inner.Compute(embeddings, labels).Times(_weight);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
