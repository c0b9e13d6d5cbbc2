using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Makes the cosine of each pair equal to its label.</summary>
/// <remarks>
/// <para>The mean of <c>(cos_i - label_i)²</c>.</para>
/// <para>Requirements: pairs with a similarity between 0 and 1 (or -1 and 1), the value that their cosine shall have; divide STS scores of 0 to 5 by 5.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence, sentence)</term><description>similarity, from 0 to 1</description></item>
/// </list>
/// <para>When to use: where the cosines themselves must mean something; for good rankings <see cref="CoSentLoss"/> is better.</para>
/// <para>Literature: Reimers and Gurevych 2019, arXiv 1908.10084 (regression objective); same values as <c>CosineSimilarityLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new CosineSimilarityLoss();
/// using torch.Tensor value = loss.Forward([first, second], torch.tensor(new[] { 0.1f, 0.9f }));
/// </code></example>
public sealed class CosineSimilarityLoss : SentenceLoss
{
    /// <inheritdoc/>
    public override string Name => "CosineSimilarity";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Similarity;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels) =>
        (Similarities.BoundedCosineOfPairs(embeddings[0], embeddings[1]) - labels!).Squared().mean();
}
