using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Puts the angles of a batch's pairs, taken in complex space, into the order of their labels.</summary>
/// <remarks>
/// <para>As <see cref="CoSentLoss"/> with another similarity: a vector's halves are the real and imaginary parts of a complex vector, and the absolute value of the summed quotient of the two vectors,
/// freed of their lengths, is compared. Its gradient does not vanish where cosines are near 1 or -1. A pair with a zero vector has no angle: the loss is then NaN.</para>
/// <para>Requirements: pairs with a similarity that is not the same in the whole batch; vectors of even dimension.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence, sentence)</term><description>similarity, any unit</description></item>
/// </list>
/// <para>When to use: graded similarities, where <see cref="CoSentLoss"/> has stopped gaining.</para>
/// <para>Literature: Li and Li 2023, arXiv 2309.12871 (AnglE); same values as <c>AnglELoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new AngleLoss();
/// using torch.Tensor value = loss.Forward([first, second], torch.tensor(new[] { 0.1f, 0.9f }));
/// </code></example>
public sealed class AngleLoss : SentenceLoss
{
    /// <summary>Creates the loss.</summary>
    /// <param name="scale">Factor of the similarities, the inverse of the temperature; positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not a positive number.</exception>
    public AngleLoss(double scale = 20) => Scale = LossArguments.Positive(scale);

    /// <summary>Factor of the similarities.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    public override string Name => "AnglE";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Similarity;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels)
    {
        long dimension = embeddings[0].shape[1];
        return dimension % 2 == 0
            ? RankedPairs.Loss(Similarities.AngleOfPairs(embeddings[0], embeddings[1]).Times(Scale), labels!)
            : throw new ArgumentException($"AnglE splits a vector into two halves and needs an even dimension, got {dimension}; choose another dimension or CoSENT.", nameof(embeddings));
    }
}
