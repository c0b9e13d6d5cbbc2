using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class DequantizedLinearTests
{
    private static readonly LoraConfig Lora = new() { Rank = 4, TargetPattern = LoraConfig.AllLinear };

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void GradientsAreThoseOfTheSameWeightsInSinglePrecision(QuantizationScheme scheme)
    {
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        using var once = new LoraBloom(bloom.Weights, Lora, makeLinear: (linear, _) => new SinglePrecisionLinear(linear));
        using var always = new LoraBloom(bloom.Weights, Lora, makeLinear: (linear, failure) => new DequantizedLinear(linear, failure));
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (LoraBloom model in new[] { once, always })
        {
            foreach (LoraLinear linear in model.Adapted)
            {
                linear.B!.bytes.Fill(0x3c); // 0.0115 each: with zeros A would have no gradient
            }
            model.Encode(TestRows.Of(model.Config, [[1, 2, 3], [4], [5, 6, 7, 8, 9]]), new PoolingOptions(PoolingModes.Mean)).pow(3).sum().backward();
            model.Failure.ThrowIfAny();
        }
        foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in once.Parameters.Zip(always.Parameters))
        {
            float size = a.grad!.abs().max().item<float>();
            Assert.IsGreaterThan(0, size, name);
            Assert.IsLessThanOrEqualTo(1e-5f * size, (a.grad! - b.grad!).abs().max().item<float>(), name);
        }
    }

    [TestMethod]
    public void TheGraphOfTorchAloneAgreesWithTheNativeOne()
    {
        if (BloomEncoders.ManagedReason is string reason)
        {
            Assert.Inconclusive($"Not run: {reason}");
        }
        using var bloom = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var native = Trained(bloom, GraphDevice.Cpu);
        using var torchAlone = Trained(bloom, GraphDevice.Cpu with { UsesNativeKernels = false });
        using var rounded = Trained(bloom, new GraphDevice(torch.CPU, torch.ScalarType.BFloat16, UsesNativeKernels: false));
        foreach (LoraBloom other in new[] { torchAlone, rounded })
        {
            foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in native.Parameters.Zip(other.Parameters))
            {
                float cosine = TensorPrimitives.CosineSimilarity<float>(DeviceTensors.Read(a.grad!), DeviceTensors.Read(b.grad!));
                Assert.IsGreaterThanOrEqualTo(0.999f, cosine, name);
            }
        }
    }

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, torch.ScalarType.BFloat16)]
    public void LayersThatShareAMatrixHaveTheBitsOfLayersThatMakeTheirOwn(QuantizationScheme scheme, torch.ScalarType product)
    {
        var device = new GraphDevice(torch.CPU, product, UsesNativeKernels: false);
        using var bloom = new RandomBloom(RandomBloom.Small, scheme);
        using var shared = Trained(bloom, device);
        using var alone = Trained(bloom, device, (linear, failure) => new DequantizedLinear(linear, failure, device));
        foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in alone.Parameters.Zip(shared.Parameters))
        {
            CollectionAssert.AreEqual(DeviceTensors.Read(a.grad!), DeviceTensors.Read(b.grad!), name);
            Assert.AreNotEqual(0, a.grad!.abs().max().item<float>(), name);
        }
    }

    private static LoraBloom Trained(RandomBloom bloom, GraphDevice device, Func<LinearWeights, BackwardFailure, FrozenLinear>? makeLinear = null)
    {
        var model = new LoraBloom(bloom.Weights, Lora, makeLinear: makeLinear, device: device);
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (LoraLinear linear in model.Adapted)
        {
            DeviceTensors.Write(linear.B!, [.. Enumerable.Range(0, (int)linear.B!.NumberOfElements).Select(i => 0.02f * MathF.Sin(i))]);
        }
        model.Encode(TestRows.Of(model.Config, [[1, 2, 3], [4], [5, 6, 7, 8, 9]]), new PoolingOptions(PoolingModes.Mean)).pow(3).sum().backward();
        model.Failure.ThrowIfAny();
        return model;
    }
}
