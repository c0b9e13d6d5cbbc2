using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Pulls matching pairs together and pushes the others at least a margin apart.</summary>
/// <remarks>
/// <para>With the distance <c>d = 1 - cos</c>: the mean of <c>0.5 * (y * d² + (1 - y) * max(0, margin - d)²)</c>. Pairs that do not match and are farther apart than the margin cost nothing.</para>
/// <para>Requirements: pairs labelled 1 (they match) or 0 (they do not), some of both.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence, sentence)</term><description>1 or 0</description></item>
/// </list>
/// <para>When to use: duplicate detection and other yes-or-no data; few-shot classification, with pairs made from the classes.</para>
/// <para>Literature: Hadsell, Chopra and LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping"; same values as <c>ContrastiveLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new ContrastiveLoss(margin: 0.5);
/// using torch.Tensor value = loss.Forward([first, second], torch.tensor(new[] { 1f, 0f }));
/// </code></example>
public sealed class ContrastiveLoss : SentenceLoss
{
    /// <summary>Creates the loss.</summary>
    /// <param name="margin">Cosine distance from which on pairs that do not match are far enough apart; positive, at most 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">The margin is not above 0 and at most 2.</exception>
    public ContrastiveLoss(double margin = 0.5)
    {
        Margin = LossArguments.Positive(margin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(margin, 2);
    }

    /// <summary>Cosine distance from which on pairs that do not match are far enough apart.</summary>
    public double Margin { get; }

    /// <inheritdoc/>
    public override string Name => "Contrastive";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Match;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels)
    {
        torch.Tensor distance = Similarities.BoundedCosineOfPairs(embeddings[0], embeddings[1]).SubtractedFrom(1);
        torch.Tensor lacking = distance.SubtractedFrom(Margin).relu();
        return (labels! * distance.Squared()).Plus(labels!.SubtractedFrom(1) * lacking.Squared()).mean().Times(0.5);
    }
}
