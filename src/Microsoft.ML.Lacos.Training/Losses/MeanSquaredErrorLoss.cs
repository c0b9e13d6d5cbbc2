using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Makes the vectors equal to those that a teacher gives the same sentences (distillation).</summary>
/// <remarks>
/// <para>The mean of the squared differences over all rows and dimensions. With several columns, such as a sentence and its translations, each is compared with the same teacher vector,
/// and the mean is over the columns as well.</para>
/// <para>Requirements: a column with the teacher's vectors, as long as the student's.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence)</term><description>teacher's vector of it</description></item>
/// <item><term>(sentence, translation, ...)</term><description>teacher's vector of the first</description></item>
/// </list>
/// <para>When to use: to give a small model the vectors of a large one, or to teach a model new languages from translations.</para>
/// <para>Literature: Reimers and Gurevych 2020, arXiv 2004.09813; same values as <c>MSELoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new MeanSquaredErrorLoss();
/// using torch.Tensor value = loss.Forward([student], teacher);
/// </code></example>
public sealed class MeanSquaredErrorLoss : SentenceLoss
{
    /// <inheritdoc/>
    public override string Name => "MSE";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Vector;

    /// <inheritdoc/>
    public override int MinimumColumns => 1;

    /// <inheritdoc/>
    public override int MaximumColumns => int.MaxValue;

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels) =>
        (torch.stack(embeddings, 0) - labels!.unsqueeze(0)).Squared().mean();
}
