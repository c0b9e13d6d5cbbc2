using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
[TestCategory("Golden")]
public sealed class LoraGoldenTests
{
    [TestMethod]
    [DataRow("qkv")]
    [DataRow("all-linear-rslora")]
    public void FirstEmbeddingsLossAndGradientsAreTheReferenceOnes(string name)
    {
        using var run = new LoraCase(name);
        using DisposeScope scope = torch.NewDisposeScope();
        (torch.Tensor anchors, torch.Tensor positives, torch.Tensor loss) = run.Forward();
        AssertRelative(run.Expected.ReadFloats("embeddings.anchor"), anchors, 2e-5, "anchors");
        AssertRelative(run.Expected.ReadFloats("embeddings.positive"), positives, 2e-5, "positives");
        Assert.AreEqual(run.Losses[0], loss.item<float>(), 1e-4 * run.Losses[0]);
        loss.backward();
        foreach ((string parameter, torch.Tensor value) in run.Model.Parameters)
        {
            AssertRelative(run.Expected.ReadFloats($"grad.{LoraCase.ReferenceName(parameter)}"), value.grad!, 1e-4, $"gradient of {parameter}");
        }
    }

    [TestMethod]
    [DataRow("qkv")]
    [DataRow("all-linear-rslora")]
    public void LossesAndWeightsOfEveryStepAreTheReferenceOnes(string name)
    {
        using var run = new LoraCase(name);
        var optimizer = new AdamW(run.Model.Parameters, run.Optimizer);
        foreach (double expected in run.Losses)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            torch.Tensor loss = run.Forward().Loss;
            Assert.AreEqual(expected, loss.item<float>(), 1e-4 * Math.Max(1, expected));
            loss.backward();
            optimizer.Step();
            optimizer.ZeroGradients();
        }
        foreach ((string parameter, torch.Tensor value) in run.Model.Parameters)
        {
            float[] expected = run.Expected.ReadFloats($"after5.{LoraCase.ReferenceName(parameter)}");
            double worst = expected.Zip(value.data<float>(), (a, b) => Math.Abs((double)a - b)).Max();
            Assert.IsLessThanOrEqualTo(1e-4, worst, parameter);
        }
    }

    [TestMethod]
    [DataRow("qkv")]
    [DataRow("all-linear-rslora")]
    public void TheTrainedAdapterGivesTheEmbeddingsOfTheMergedModel(string name)
    {
        using var run = new LoraCase(name);
        run.Model.Load(PeftAdapter.Load(TestData.Golden("lora", name, "adapter_after5")));
        using SafetensorsFile merged = SafetensorsFile.Open(TestData.Golden("lora", name, "merged.safetensors"));
        using DisposeScope scope = torch.NewDisposeScope();
        AssertRelative(merged.ReadFloats("merged_embeddings.anchor"), run.Forward().Anchors, 1e-4, "anchors");
    }

    [TestMethod]
    [DataRow("qkv")]
    [DataRow("all-linear-rslora")]
    public void AnAdapterComesOutAsItWentIn(string name)
    {
        using var run = new LoraCase(name);
        PeftAdapter before = PeftAdapter.Load(TestData.Golden("lora", name, "adapter_initial"));
        PeftAdapter after = run.Model.ToAdapter();
        CollectionAssert.AreEquivalent(before.Modules.Keys.ToArray(), after.Modules.Keys.ToArray());
        foreach ((string module, LoraMatrices matrices) in before.Modules)
        {
            CollectionAssert.AreEqual(matrices.A, after.Modules[module].A);
            CollectionAssert.AreEqual(matrices.B, after.Modules[module].B);
        }
    }

    [TestMethod]
    [DataRow("qkv", QuantizationScheme.Rowwise, 0.99f)]
    [DataRow("all-linear-rslora", QuantizationScheme.Rowwise, 0.99f)]
    [DataRow("qkv", QuantizationScheme.BlockwiseDynamic, 0.98f)]
    [DataRow("all-linear-rslora", QuantizationScheme.BlockwiseDynamic, 0.98f)]
    public void GradientsOverAQuantisedBasePointWhereTheReferenceOnesDo(string name, QuantizationScheme scheme, float bound)
    {
        using var run = new LoraCase(name, scheme);
        AssertDirections(run, bound);
    }

    [TestMethod]
    [DataRow("qkv")]
    [DataRow("all-linear-rslora")]
    public void GradientsWithoutTheNativeLibraryPointWhereTheReferenceOnesDo(string name)
    {
        using var run = new LoraCase(name, QuantizationScheme.Rowwise, (linear, failure) => new DequantizedLinear(linear, failure));
        AssertDirections(run, 0.99f);
    }

    private static void AssertDirections(LoraCase run, float bound)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        run.Forward().Loss.backward();
        run.Model.Failure.ThrowIfAny();
        foreach ((string parameter, torch.Tensor value) in run.Model.Parameters)
        {
            float[] expected = run.Expected.ReadFloats($"grad.{LoraCase.ReferenceName(parameter)}");
            float cosine = TensorPrimitives.CosineSimilarity<float>(expected, value.grad!.contiguous().data<float>().ToArray());
            Assert.IsGreaterThanOrEqualTo(bound, cosine, parameter);
        }
    }

    private static void AssertRelative(float[] expected, torch.Tensor actual, double tolerance, string what)
    {
        float[] values = [.. actual.detach().contiguous().data<float>()];
        Assert.HasCount(expected.Length, values, what);
        double worst = expected.Zip(values, (a, b) => Math.Abs((double)a - b)).Max();
        Assert.IsLessThanOrEqualTo(tolerance * expected.Max(Math.Abs), worst, what);
    }
}
