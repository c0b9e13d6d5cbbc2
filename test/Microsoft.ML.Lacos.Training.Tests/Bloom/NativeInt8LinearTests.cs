using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class NativeInt8LinearTests
{
    private static readonly LoraConfig Lora = new() { Rank = 4, TargetPattern = LoraConfig.AllLinear };

    [TestInitialize]
    public void NeedsTheNativeLibrary()
    {
        if (BloomEncoders.ManagedReason is string reason)
        {
            Assert.Inconclusive($"Not run: {reason}");
        }
    }

    [TestMethod]
    public void VectorsInTheGraphAreThoseOfTheNativeEncoder()
    {
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var encoder = new NativeBloomEncoder(bloom.Weights, BloomCompute.Int8);
        using var model = new LoraBloom(bloom.Weights, Lora);
        using DisposeScope scope = torch.NewDisposeScope();
        var pooling = new PoolingOptions(PoolingModes.Mean);
        (int[] Ids, int[] Offsets) batch = RandomBloom.Batch(model.Config.VocabularySize, 3, 5, 1, 9, 7);
        float[][] expected = encoder.Vectors(batch, pooling);
        torch.Tensor vectors = model.Encode(new TokenRows(model.Config, batch.Ids, batch.Offsets), pooling);
        for (int row = 0; row < expected.Length; row++)
        {
            float cosine = TensorPrimitives.CosineSimilarity<float>(expected[row], vectors[row].contiguous().data<float>().ToArray());
            Assert.AreEqual(1f, cosine, 1e-5f, $"row {row}");
        }
    }

    [TestMethod]
    [DataRow(false, 2e-2)]
    [DataRow(true, 1e-5)]
    public void TheInputGradientIsThatOfTheDequantisedWeights(bool fullPrecision, double tolerance)
    {
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using DisposeScope scope = torch.NewDisposeScope();
        var failure = new BackwardFailure();
        foreach (LinearWeights weights in new[] { bloom.Weights.Blocks[0].QueryKeyValue, bloom.Weights.Blocks[0].Dense4HToH })
        {
            using var int8 = new NativeInt8Linear(weights, failure, fullPrecision);
            using var floats = new SinglePrecisionLinear(weights);
            torch.Tensor outputGradient = torch.randn([37, int8.Outputs], generator: new torch.Generator(5));
            torch.Tensor expected = Gradient(floats, outputGradient);
            torch.Tensor actual = Gradient(int8, outputGradient);
            failure.ThrowIfAny();
            double error = ((expected - actual).norm() / expected.norm()).item<float>();
            Assert.IsLessThanOrEqualTo(tolerance, error);
        }
    }

    [TestMethod]
    public void ThreadsOfTorchGiveTheSameBitsAsOne()
    {
        if (OperatingSystem.IsLinux())
        {
            using var warm = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
            using var model = new LoraBloom(warm.Weights, Lora);
            Assert.IsNotNull(TorchThreads.Library, "torch on Linux brings an OpenMP runtime, which was not shared");
        }
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using DisposeScope scope = torch.NewDisposeScope();
        var failure = new BackwardFailure();
        torch.Tensor outputGradient = torch.randn([200, bloom.Weights.Blocks[0].QueryKeyValue.Weight.Rows], generator: new torch.Generator(6));
        int before = torch.get_num_threads();
        var gradients = new List<byte[]>();
        try
        {
            foreach (int threads in new[] { 1, 2, 1, 2 })
            {
                torch.set_num_threads(threads);
                using var layer = new NativeInt8Linear(bloom.Weights.Blocks[0].QueryKeyValue, failure);
                gradients.Add(Gradient(layer, outputGradient).contiguous().bytes.ToArray());
                failure.ThrowIfAny();
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }
        Assert.IsTrue(gradients[0].Any(value => value != 0));
        gradients.ForEach(one => CollectionAssert.AreEqual(gradients[0], one));
    }

    [TestMethod]
    public void OtherSchemesAreRefused()
    {
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.BlockwiseDynamic);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new NativeInt8Linear(bloom.Weights.Blocks[0].Dense, new BackwardFailure())).Message, "BlockwiseDynamic");
    }

    [TestMethod]
    public void TheModelRunsRowwiseWeightsInInt8AndOthersDequantised()
    {
        foreach ((QuantizationScheme scheme, Type type) in new[] { (QuantizationScheme.None, typeof(SinglePrecisionLinear)), (QuantizationScheme.Rowwise, typeof(NativeInt8Linear)), (QuantizationScheme.BlockwiseLinear, typeof(DequantizedLinear)) })
        {
            using var bloom = new RandomBloom(RandomBloom.Small, scheme);
            using FrozenLinear layer = FrozenLayers.Create(bloom.Weights.Blocks[0].Dense, new BackwardFailure());
            Assert.AreEqual(type, layer.GetType());
        }
    }

    private static torch.Tensor Gradient(FrozenLinear layer, torch.Tensor outputGradient)
    {
        torch.Tensor x = torch.ones(outputGradient.shape[0], layer.Inputs).requires_grad_();
        layer.Forward(x).backward([outputGradient]);
        return x.grad!;
    }
}
