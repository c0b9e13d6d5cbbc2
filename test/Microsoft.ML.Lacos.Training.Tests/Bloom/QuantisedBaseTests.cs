using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tokenization;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>A real model of 22 M parameters: what quantising its base does to the gradients of the adapters.</summary>
[TestClass]
[TestCategory("Golden")]
public sealed class QuantisedBaseTests
{
    private static readonly (string First, string Second)[] Pairs =
    [
        ("A man is playing a guitar.", "Un hombre toca la guitarra."), ("The cat sleeps on the sofa.", "Die Katze schläft auf dem Sofa."),
        ("It will rain in the north tomorrow.", "Mañana va a llover en el norte."), ("The match begins at eight.", "Le match commence à vingt heures."),
        ("She bought two tickets to Rome.", "Ha comprato due biglietti per Roma."), ("Bread is cheap here.", "O pão é barato aqui."),
    ];

    [TestMethod]
    [DataRow(QuantizationScheme.BlockwiseDynamic, true, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, true, torch.ScalarType.BFloat16)]
    [DataRow(QuantizationScheme.BlockwiseLinear, true, torch.ScalarType.Float32)]
    [DataRow(QuantizationScheme.Rowwise, true, torch.ScalarType.BFloat16)]
    [DataRow(QuantizationScheme.Rowwise, false, torch.ScalarType.Float32)]
    public void GradientsOverAQuantisedBaseAndTablePointWhereTheFloatOnesDo(QuantizationScheme scheme, bool torchAlone, torch.ScalarType product)
    {
        string folder = TestData.Shared("models", "bloom-mini");
        float[] expected = Gradients(folder, QuantizationScheme.None, GraphDevice.Cpu);
        float[] actual = Gradients(folder, scheme, new GraphDevice(torch.CPU, product, UsesNativeKernels: !torchAlone));
Assert.IsGreaterThanOrEqualTo(0.999f, TensorPrimitives.CosineSimilarity<float>(expected, actual));
    }

    private static float[] Gradients(string folder, QuantizationScheme scheme, GraphDevice device)
    {
        using LacosModel source = LacosModel.Open(folder, BloomCompute.Int8, scheme: scheme);
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(source.TokenizerJson.Span);
        using var model = new LoraBloom(source.Weights, new LoraConfig { Rank = 8, TargetPattern = LoraConfig.AllLinear }, seed: 3, device: device);
        using var loss = new MultipleNegativesRankingLoss();
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (LoraLinear linear in model.Adapted)
        {
            var random = new Random(linear.Index);
            DeviceTensors.Write(linear.B!, [.. Enumerable.Range(0, (int)linear.B!.NumberOfElements).Select(_ => 0.02f * (random.NextSingle() - 0.5f))]);
        }
        loss.Forward([Vectors(pair => pair.First), Vectors(pair => pair.Second)]).backward();
        model.Failure.ThrowIfAny();
        return [.. model.Parameters.SelectMany(item => DeviceTensors.Read(item.Value.grad!))];

        torch.Tensor Vectors(Func<(string First, string Second), string> text) =>
            model.Encode(TestRows.Of(model.Config, [.. Pairs.Select(pair => tokenizer.EncodeToIds(text(pair)).ToArray())]), new PoolingOptions(source.Settings.Pooling));
    }
}
