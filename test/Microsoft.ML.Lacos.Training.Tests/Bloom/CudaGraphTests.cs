using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>The training graph on a GPU against the same graph on the CPU. Reported as skipped where torch sees no CUDA device.</summary>
[TestClass]
public sealed class CudaGraphTests
{
    private static readonly GraphDevice Cpu = GraphDevice.Cpu with { UsesNativeKernels = false };
    private static readonly LoraConfig Lora = new() { Rank = 4, Dropout = 0.1, TargetPattern = LoraConfig.AllLinear };
    private static readonly int[][][] Columns = [[[5, 6, 7, 8], [9], [10, 11, 12, 13, 14, 15, 16]], [[1, 2], [3, 4, 5], [20, 21, 22, 23]]];

    public static IEnumerable<SentenceLoss> Losses =>
    [
        new MultipleNegativesRankingLoss(bothDirections: true), new CoSentLoss(), new AngleLoss(), new CosineSimilarityLoss(), new ContrastiveLoss(), new SoftmaxLoss(48, 2),
        new MatryoshkaLoss(new MultipleNegativesRankingLoss(), [48, 16]),
    ];

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    public void VectorsLossesAndGradientsAreThoseOfTheCpu(QuantizationScheme scheme)
    {
        GraphDevice gpu = Gpu();
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        foreach (PoolingModes pooling in new[] { PoolingModes.Mean, PoolingModes.Max, PoolingModes.LastToken | PoolingModes.WeightedMean })
        {
            foreach (SentenceLoss loss in Losses)
            {
                using (loss)
                {
                    // These two are made for vectors of one width.
                    if (pooling == PoolingModes.Mean || loss is not (SoftmaxLoss or MatryoshkaLoss))
                    {
                        AssertSame(bloom, gpu, loss, pooling);
                    }
                }
            }
        }
    }

    [TestMethod]
    public void ProductsInBrainFloatStayNearThoseInFullPrecision()
    {
        GraphDevice gpu = Gpu();
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using LoraBloom expected = Trained(bloom, Cpu);
        using LoraBloom actual = Trained(bloom, gpu with { Product = torch.ScalarType.BFloat16 });
        using var loss = new MultipleNegativesRankingLoss();
        double value = Backward(expected, loss, PoolingModes.Mean);
        Assert.AreEqual(value, Backward(actual, loss, PoolingModes.Mean), 0.02 * value);
        foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in expected.Parameters.Zip(actual.Parameters))
        {
            using torch.Tensor cosine = torch.nn.functional.cosine_similarity(a.grad!.reshape(1, -1), b.grad!.cpu().reshape(1, -1));
            Assert.IsGreaterThan(0.99f, cosine.item<float>(), name);
        }
    }

    /// <summary>The first GPU; without one the calling test counts as skipped.</summary>
    internal static GraphDevice Gpu()
    {
        if (!torch.cuda.is_available())
        {
            Assert.Inconclusive("Not run: torch sees no CUDA device here.");
        }
        return new GraphDevice(new torch.Device(DeviceType.CUDA, 0), UsesNativeKernels: false);
    }

    // A loss with weights of its own moves them to the vectors' device for each call.
    private static void AssertSame(RandomBloom bloom, GraphDevice gpu, SentenceLoss loss, PoolingModes pooling)
    {
        string what = $"{loss.GetType().Name}, {pooling}";
        using LoraBloom expected = Trained(bloom, Cpu);
        using LoraBloom actual = Trained(bloom, gpu);
        double value = Backward(expected, loss, pooling);
        Assert.AreEqual(value, Backward(actual, loss, pooling), 1e-4 * Math.Max(1, Math.Abs(value)), what);
        foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in expected.Parameters.Zip(actual.Parameters))
        {
            Assert.AreEqual(DeviceType.CUDA, b.device_type, name);
            using torch.Tensor difference = (a.grad! - b.grad!.cpu()).abs().max();
            double size = a.grad!.abs().max().item<float>();
            Assert.IsGreaterThan(0, size, $"{what}: {name}");
            Assert.IsLessThanOrEqualTo(1e-3 * size, difference.item<float>(), $"{what}: {name}");
        }
    }

    private static double Backward(LoraBloom model, SentenceLoss loss, PoolingModes pooling)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor? labels = loss.Label switch
        {
            LossLabel.None => null,
            LossLabel.Class => torch.tensor(new long[] { 0, 1, 1 }, device: model.Device),
            _ => torch.tensor(new[] { 0f, 1f, 1f }, device: model.Device),
        };
        torch.Tensor[] vectors = [.. Columns.Select(column => model.Encode(TestRows.Of(model.Config, column, rowKeys: [1, 2, 3]), new PoolingOptions(pooling), new DropoutKey(5, 17)))];
        torch.Tensor value = loss.Forward(vectors, labels);
        value.backward();
        model.Failure.ThrowIfAny();
        return value.item<float>();
    }

    private static LoraBloom Trained(RandomBloom bloom, GraphDevice device) =>
        new LoraBloom(bloom.Weights, Lora, device: device).WithTrainedAdapters();
}
