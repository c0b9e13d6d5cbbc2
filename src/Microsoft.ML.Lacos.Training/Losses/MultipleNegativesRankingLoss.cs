using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>
/// Pulls each sentence to its partner and away from every other partner in the batch, and from the hard negatives where there are any.
/// </summary>
/// <remarks>
/// <para><c>S = scale * cos(anchors, [positives; negatives...])</c>; the loss is the cross entropy of choosing column i in row i, averaged over rows.
/// With both directions it is the mean of that and of choosing the anchor for each positive (over the positives' part of <c>S</c>, transposed).</para>
/// <para>With classes, <c>S[i, j]</c> is left out of row i for every other j of the same class: other texts of a class are no negatives of each other. A batch of one class teaches nothing
/// (loss and gradients are 0).</para>
/// <para>Requirements: sentences that belong together, no labels, or their classes. Without classes no two rows of a batch may hold the same text, or a positive is taken for a negative. The larger
/// the batch the better the loss; <see cref="GradientCache"/> makes large batches fit.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(anchor, positive)</term><description>none</description></item>
/// <item><term>(anchor, positive, negative, ...)</term><description>none</description></item>
/// <item><term>(text, another of its class)</term><description>class, where it is made with <c>labelsAreClasses</c></description></item>
/// </list>
/// <para>When to use: the first choice wherever there are pairs, such as questions and answers, translations, sentences and what follows from them; with classes, for few labels.</para>
/// <para>Literature: van den Oord et al. 2018, arXiv 1807.03748 (InfoNCE); Henderson et al. 2017, arXiv 1705.00652; both directions: Radford et al. 2021, arXiv 2103.00020;
/// negatives by class: Khosla et al. 2020, arXiv 2004.11362 (supervised contrastive), with one positive a row. Without classes the same values as <c>MultipleNegativesRankingLoss</c> and <c>MultipleNegativesSymmetricRankingLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new MultipleNegativesRankingLoss(scale: 20);
/// using torch.Tensor value = loss.Forward([anchors, positives]);
/// value.backward();
/// </code></example>
public sealed class MultipleNegativesRankingLoss : SentenceLoss
{
    /// <summary>Creates the loss.</summary>
    /// <param name="scale">Factor of the cosines, the inverse of the temperature; positive.</param>
    /// <param name="bothDirections">Whether each positive must also find its anchor.</param>
    /// <param name="labelsAreClasses">Whether rows have classes, so that only rows of other classes are negatives.</param>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not a positive number.</exception>
    public MultipleNegativesRankingLoss(double scale = 20, bool bothDirections = false, bool labelsAreClasses = false)
    {
        Scale = LossArguments.Positive(scale);
        BothDirections = bothDirections;
        LabelsAreClasses = labelsAreClasses;
    }

    /// <summary>Factor of the cosines.</summary>
    public double Scale { get; }

    /// <summary>Whether each positive must also find its anchor.</summary>
    public bool BothDirections { get; }

    /// <summary>Whether only rows of other classes are negatives.</summary>
    public bool LabelsAreClasses { get; }

    /// <inheritdoc/>
    public override string Name => BothDirections ? "MultipleNegativesSymmetricRanking" : "MultipleNegativesRanking";

    /// <inheritdoc/>
    public override LossLabel Label => LabelsAreClasses ? LossLabel.Class : LossLabel.None;

    /// <inheritdoc/>
    public override int MaximumColumns => LabelsAreClasses ? 2 : int.MaxValue;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels)
    {
        using torch.Tensor candidates = torch.cat([.. embeddings.Skip(1)], 0);
        torch.Tensor scores = Similarities.CosineOfAll(embeddings[0], candidates).Times(Scale);
        int rows = checked((int)embeddings[0].shape[0]);
        if (LabelsAreClasses)
        {
            scores = torch.where(OthersOfOwnClass(labels!), torch.tensor(float.NegativeInfinity, scores.dtype, scores.device), scores);
        }
        using torch.Tensor own = torch.tensor(Enumerable.Range(0, rows).Select(row => (long)row).ToArray(), device: scores.device);
        torch.Tensor forward = functional.cross_entropy(scores, own);
        return BothDirections ? forward.Plus(functional.cross_entropy(scores.narrow(1, 0, rows).transpose(0, 1), own)).Times(0.5) : forward;
    }

    // [rows, rows]: where column j is of row i's class, without the diagonal.
    private static torch.Tensor OthersOfOwnClass(torch.Tensor classes) =>
        classes.unsqueeze(1).eq(classes.unsqueeze(0)).logical_xor(torch.eye(classes.shape[0], dtype: torch.ScalarType.Bool, device: classes.device));
}
