using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Puts the cosines of a batch's pairs into the order of their labels.</summary>
/// <remarks>
/// <para><c>log(1 + sum of exp(scale * (cos_i - cos_j)))</c> over all pairs of rows with <c>label_i &lt; label_j</c>. Only the order of the labels matters, so any unit will do.
/// Rows with equal labels are not compared; a batch of equal labels gives 0.</para>
/// <para>Requirements: pairs with a similarity that is not the same in the whole batch.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence, sentence)</term><description>similarity, any unit</description></item>
/// </list>
/// <para>When to use: graded similarities such as STS; a better signal than <see cref="CosineSimilarityLoss"/>, which asks for exact values.</para>
/// <para>Literature: J. Su 2022, https://kexue.fm/archives/8847; same values as <c>CoSENTLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new CoSentLoss();
/// using torch.Tensor value = loss.Forward([first, second], torch.tensor(new[] { 0.1f, 0.9f }));
/// </code></example>
public sealed class CoSentLoss : SentenceLoss
{
    /// <summary>Creates the loss.</summary>
    /// <param name="scale">Factor of the cosines, the inverse of the temperature; positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not a positive number.</exception>
    public CoSentLoss(double scale = 20) => Scale = LossArguments.Positive(scale);

    /// <summary>Factor of the cosines.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    public override string Name => "CoSENT";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Similarity;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels) =>
        RankedPairs.Loss(Similarities.CosineOfPairs(embeddings[0], embeddings[1]).Times(Scale), labels!);
}
