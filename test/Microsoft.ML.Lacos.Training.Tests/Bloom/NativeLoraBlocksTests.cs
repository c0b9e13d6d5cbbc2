using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>Not parallel: one test changes the number of torch's threads.</summary>
[TestClass]
[DoNotParallelize]
public sealed class NativeLoraBlocksTests
{
    private static readonly BloomConfig Shape = new(72, 3, 3, 101);

    // Longer than the blocks in which attention goes back, shorter, one token, none; more tokens than rows computed at once.
    private static readonly int[] Lengths = [5, 130, 1, 0, 49, 48, 97];
    private static readonly DropoutKey Key = new(11, 4);

    public static IEnumerable<LoraConfig> Configs =>
    [
        new() { Rank = 8, Alpha = 16, Dropout = 0.2, TargetModules = ["query_key_value"] },
        new() { Rank = 16, Alpha = 16, Dropout = 0.05, TargetPattern = LoraConfig.AllLinear },
        new() { Rank = 21, Alpha = 8, Dropout = 0, TargetPattern = LoraConfig.AllLinear, RankPatterns = [new("dense_4h_to_h", 3)] },
        new() { Rank = 4, Alpha = 8, Dropout = 0.3, TargetModules = ["dense", "dense_h_to_4h"], Blocks = [1] },
    ];

    [TestMethod]
    [DynamicData(nameof(Configs))]
    public void VectorsAndGradientsAreThoseOfTheSameLayersOneByOneInTorch(LoraConfig config)
    {
        foreach (bool residualPostLayerNorm in new[] { false, true })
        {
            using var bloom = new RandomBloom(Shape with { ResidualPostLayerNorm = residualPostLayerNorm }, QuantizationScheme.Rowwise);
            using LoraBloom whole = Trained(bloom, config);
            using LoraBloom layers = Trained(bloom, config, (linear, failure) => new NativeInt8Linear(linear, failure));
            (float[] tokens, float[][] gradients) = Run(whole);
            (float[] expectedTokens, float[][] expectedGradients) = Run(layers);
            // A last bit decides here and there between two codes: the same arithmetic is close, not equal.
            Assert.IsGreaterThan(0.9999f, TensorPrimitives.CosineSimilarity<float>(expectedTokens, tokens));
            for (int i = 0; i < gradients.Length; i++)
            {
                string name = $"{whole.Parameters[i].Name}, residual after the norm {residualPostLayerNorm}";
                Assert.IsGreaterThan(0.999f, TensorPrimitives.CosineSimilarity<float>(expectedGradients[i], gradients[i]), name);
                Assert.AreEqual(1, TensorPrimitives.Norm<float>(gradients[i]) / TensorPrimitives.Norm<float>(expectedGradients[i]), 0.02, name);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Configs))]
    public void BlocksThatAreComputedAgainGiveTheSameBits(LoraConfig config)
    {
        using var bloom = new RandomBloom(Shape, QuantizationScheme.Rowwise);
        using LoraBloom model = Trained(bloom, config);
        (float[] tokens, float[][] gradients) = Run(model);
        // Nothing kept, and about one block of three.
        foreach (long bytes in new[] { 0L, 330 * 72 * 30L })
        {
            model.ActivationMemory = bytes;
            (float[] again, float[][] againGradients) = Run(model);
            CollectionAssert.AreEqual(tokens, again);
            for (int i = 0; i < gradients.Length; i++)
            {
                CollectionAssert.AreEqual(gradients[i], againGradients[i], $"{model.Parameters[i].Name}, {bytes} bytes");
            }
        }
    }

    [TestMethod]
    public void ThreadsDoNotChangeABit()
    {
        int before = torch.get_num_threads();
        using var bloom = new RandomBloom(Shape, QuantizationScheme.Rowwise);
        try
        {
            var runs = new List<(float[] Tokens, float[][] Gradients)>();
            foreach (int threads in new[] { 1, 3 })
            {
                torch.set_num_threads(threads);
                using LoraBloom model = Trained(bloom, Configs.ElementAt(1));
                runs.Add(Run(model));
            }
            CollectionAssert.AreEqual(runs[0].Tokens, runs[1].Tokens);
            for (int i = 0; i < runs[0].Gradients.Length; i++)
            {
                CollectionAssert.AreEqual(runs[0].Gradients[i], runs[1].Gradients[i], $"gradient {i}");
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }

    [TestMethod]
    public void ARowHasTheSameBitsInEveryBatchWithAGraphAndWithout()
    {
        using var bloom = new RandomBloom(Shape, QuantizationScheme.Rowwise);
        using LoraBloom model = Trained(bloom, Configs.ElementAt(1));
        using DisposeScope scope = torch.NewDisposeScope();
        float[] together = Values(model.EncodeTokens(Batch(), Key));
        int first = Lengths[0] + Lengths[1];
        int length = Lengths[4];
        using IDisposable noGradient = torch.no_grad();
        int[] ids = Batch().Ids[(first + 1)..(first + 1 + length)];
        float[] alone = Values(model.EncodeTokens(TestRows.Of(Shape, [ids], rowKeys: [4]), Key));
        CollectionAssert.AreEqual(together[((first + 1) * Shape.HiddenSize)..((first + 1 + length) * Shape.HiddenSize)], alone);
    }

    [TestMethod]
    public void TheWayBackIsThereOnce()
    {
        using var bloom = new RandomBloom(Shape, QuantizationScheme.Rowwise);
        using LoraBloom model = Trained(bloom, Configs.First());
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor sum = model.EncodeTokens(Batch()).sum();
        sum.backward(retain_graph: true);
        model.Failure.ThrowIfAny();
        sum.backward();
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(model.Failure.ThrowIfAny).Message, "encode again");
    }

    private static TokenRows Batch()
    {
        (int[] ids, int[] offsets) = RandomBloom.Batch(Shape.VocabularySize, 6, Lengths);
        return new TokenRows(Shape, ids, offsets);
    }

    private static (float[] Tokens, float[][] Gradients) Run(LoraBloom model)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor tokens = model.EncodeTokens(Batch(), Key);
        torch.Tensor weights = torch.sin(torch.arange(tokens.NumberOfElements, dtype: torch.ScalarType.Float32)).view(tokens.shape);
        (tokens * weights).sum().backward();
        model.Failure.ThrowIfAny();
        float[][] gradients = [.. model.Parameters.Select(item => Values(item.Value.grad!))];
        foreach ((_, torch.Tensor value) in model.Parameters)
        {
            value.grad = null;
        }
        return (Values(tokens), gradients);
    }

    private static float[] Values(torch.Tensor tensor) => [.. tensor.detach().contiguous().data<float>()];

    private static LoraBloom Trained(RandomBloom bloom, LoraConfig config, Func<LinearWeights, BackwardFailure, FrozenLinear>? makeLinear = null) =>
        new LoraBloom(bloom.Weights, config, makeLinear: makeLinear).WithTrainedAdapters();
}
