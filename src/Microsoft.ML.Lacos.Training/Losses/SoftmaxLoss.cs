using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Trains the vectors through a classifier of sentence pairs that sits on top of them.</summary>
/// <remarks>
/// <para><c>logits = W [u, v, |u - v|] + b</c> (and <c>u * v</c> where asked for), then the cross entropy with the class, averaged over rows. <c>W</c> and <c>b</c> are trained with the encoder
/// and belong to training only; they start uniformly in ±1/√in, as a linear layer does in PyTorch.</para>
/// <para>Of shorter vectors the classifier sees each block of features with the block's leading columns of <c>W</c>, so that <see cref="MatryoshkaLoss"/> can be put around it; in the reference that
/// fails, because the classifier takes one dimension only.</para>
/// <para>Requirements: pairs with a class from 0; for natural language inference entailment 0, neutral 1, contradiction 2.</para>
/// <list type="table">
/// <listheader><term>columns</term><description>labels</description></listheader>
/// <item><term>(sentence, sentence)</term><description>class from 0</description></item>
/// </list>
/// <para>When to use: classes of pairs that are more than "match" or "no match". With entailment data <see cref="MultipleNegativesRankingLoss"/>, the contradictions as hard negatives, gives better vectors.</para>
/// <para>Literature: Reimers and Gurevych 2019, arXiv 1908.10084 (classification objective); same values as <c>SoftmaxLoss</c> of sentence-transformers.</para>
/// </remarks>
/// <example><code>
/// using var loss = new SoftmaxLoss(dimension: 384, classCount: 3);
/// using torch.Tensor value = loss.Forward([premise, hypothesis], torch.tensor(new long[] { 0, 2 }));
/// </code></example>
public sealed class SoftmaxLoss : SentenceLoss
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;

    /// <summary>Creates the loss and its classifier.</summary>
    /// <param name="dimension">Largest dimension of the sentence vectors.</param>
    /// <param name="classCount">Number of classes, at least 2.</param>
    /// <param name="withProduct">Whether the classifier also sees <c>u * v</c>.</param>
    /// <param name="seed">Decides the classifier's first weights.</param>
    /// <exception cref="ArgumentOutOfRangeException">The dimension is not positive, there are fewer than 2 classes, or the classifier of both would be larger than an array can be.</exception>
    public SoftmaxLoss(int dimension, int classCount, bool withProduct = false, int seed = 1)
    {
        Dimension = LossArguments.Positive(dimension);
        ArgumentOutOfRangeException.ThrowIfLessThan(classCount, 2);
        ClassCount = classCount;
        WithProduct = withProduct;
        long features = dimension * (withProduct ? 4L : 3L);
        if (features > Array.MaxLength / classCount)
        {
            throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"A classifier of {features} features and {classCount} classes has more than the {Array.MaxLength} weights that fit into memory. Correct the dimension or the number of classes.");
        }
        int inputs = (int)features;
        var random = new Random(seed);
        double bound = 1 / Math.Sqrt(inputs);
        _weight = new Parameter(DeviceTensors.Of(Uniform(random, classCount * inputs, bound), [classCount, inputs]));
        _bias = new Parameter(DeviceTensors.Of(Uniform(random, classCount, bound), [classCount]));
        _weight.DetachFromDisposeScope();
        _bias.DetachFromDisposeScope();
    }

    /// <summary>Largest dimension of the sentence vectors.</summary>
    public int Dimension { get; }

    /// <summary>Number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>Whether the classifier also sees <c>u * v</c>.</summary>
    public bool WithProduct { get; }

    /// <inheritdoc/>
    public override string Name => "Softmax";

    /// <inheritdoc/>
    public override LossLabel Label => LossLabel.Class;

    /// <summary>The classifier: <c>weight</c> [classes, 3 or 4 * dimension] and <c>bias</c> [classes], fp32.</summary>
    public override IReadOnlyList<(string Name, torch.Tensor Value)> Parameters => [("weight", _weight), ("bias", _bias)];

    /// <inheritdoc/>
    protected internal override torch.Tensor Compute(IReadOnlyList<torch.Tensor> embeddings, torch.Tensor? labels)
    {
        ObjectDisposedException.ThrowIf(_weight.IsInvalid, this);
        (torch.Tensor u, torch.Tensor v) = (embeddings[0], embeddings[1]);
        if (u.shape[1] > Dimension)
        {
            throw new ArgumentException($"The classifier of this Softmax loss was made for vectors of at most {Dimension} dimensions, got {u.shape[1]}.", nameof(embeddings));
        }
        CheckClasses(labels!);
        torch.Tensor features = torch.cat(WithProduct ? [u, v, (u - v).abs(), u * v] : [u, v, (u - v).abs()], 1);
        torch.Tensor logits = functional.linear(features, LeadingWeights(u.shape[1]).to(features.dtype).to(features.device), _bias.to(features.dtype).to(features.device));
        return functional.cross_entropy(logits, labels!);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _weight.Dispose();
            _bias.Dispose();
        }
        base.Dispose(disposing);
    }

    private torch.Tensor LeadingWeights(long dimension) => dimension == Dimension
        ? _weight
        : _weight.view(ClassCount, -1, Dimension).narrow(2, 0, dimension).reshape(ClassCount, -1);

    // torch's own refusal is no ArgumentException, and on a GPU it ends the process's use of the device.
    private void CheckClasses(torch.Tensor labels)
    {
        using torch.Tensor least = labels.min();
        using torch.Tensor most = labels.max();
        (long low, long high) = (least.item<long>(), most.item<long>());
        if (low < 0 || high >= ClassCount)
        {
            throw new ArgumentException($"{Name} of {ClassCount} classes has the label {(low < 0 ? low : high)}; it must be from 0 to {ClassCount - 1}. Correct it, or make the loss with more classes.", nameof(labels));
        }
    }

    private static float[] Uniform(Random random, int count, double bound)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)(((random.NextDouble() * 2) - 1) * bound);
        }
        return values;
    }
}
