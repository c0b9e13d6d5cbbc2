using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class LoraBloomTests
{
    private static readonly LoraConfig All = new() { Rank = 4, Alpha = 8, TargetPattern = LoraConfig.AllLinear };

    public static IEnumerable<PoolingOptions> Poolings =>
    [
        new(PoolingModes.Mean), new(PoolingModes.MeanSqrtLength), new(PoolingModes.WeightedMean), new(PoolingModes.FirstToken), new(PoolingModes.LastToken), new(PoolingModes.Max),
        new(PoolingModes.Mean | PoolingModes.Max | PoolingModes.LastToken, Dimension: 100), new(PoolingModes.Mean, Dimension: 20, Normalize: true),
    ];

    [TestMethod]
    [DynamicData(nameof(Poolings))]
    public void FreshAdaptersLeaveTheModelAsItIs(PoolingOptions pooling)
    {
        foreach (bool residualPostLayerNorm in new[] { false, true })
        {
            using var bloom = new RandomBloom(RandomBloom.Small with { ResidualPostLayerNorm = residualPostLayerNorm });
            using var encoder = new Float32BloomEncoder(bloom.Weights);
            using var model = new LoraBloom(bloom.Weights, All);
            using DisposeScope scope = torch.NewDisposeScope();
            (int[] Ids, int[] Offsets) batch = RandomBloom.Batch(model.Config.VocabularySize, 3, 5, 1, 0, 9, 7);
            int[] poolFrom = [2, 0, 0, 1, 7];
            float[] expected = [.. encoder.Vectors(batch, pooling, poolFrom).SelectMany(row => row)];
            float[] actual = [.. model.Encode(new TokenRows(model.Config, batch.Ids, batch.Offsets, poolFrom), pooling).contiguous().data<float>()];
            Assert.HasCount(expected.Length, actual);
            float tolerance = 2e-5f * expected.Max(Math.Abs);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.AreEqual(expected[i], actual[i], tolerance, $"element {i}");
            }
        }
    }

    [TestMethod]
    public void AStartsUniformlyWithinOneOverRootOfItsInputsAndBWithZeros()
    {
        using var bloom = new RandomBloom(new BloomConfig(64, 2, 4, 50));
        using var model = new LoraBloom(bloom.Weights, All with { Rank = 16 }, seed: 3);
        using var same = new LoraBloom(bloom.Weights, All with { Rank = 16 }, seed: 3);
        using var other = new LoraBloom(bloom.Weights, All with { Rank = 16 }, seed: 4);
        LoraMatrices[] adapters = [.. model.ToAdapter().Modules.Values];
        Assert.HasCount(8, adapters);
        foreach (LoraMatrices matrices in adapters)
        {
            double bound = 1 / Math.Sqrt(matrices.InFeatures);
            double count = matrices.A.Length;
            Assert.IsLessThanOrEqualTo((float)bound, matrices.A.Max(Math.Abs));
            // A uniform distribution has mean 0 and variance bound²/3; five standard errors each.
            Assert.AreEqual(0, matrices.A.Average(), 5 * bound / Math.Sqrt(3 * count));
            Assert.AreEqual(bound * bound / 3, matrices.A.Average(value => (double)value * value), 5 * bound * bound * Math.Sqrt(4.0 / 45 / count));
            Assert.IsTrue(matrices.B.All(value => value == 0));
        }
        const string First = "h.0.self_attention.query_key_value";
        CollectionAssert.AreEqual(model.ToAdapter().Modules[First].A, same.ToAdapter().Modules[First].A);
        CollectionAssert.AreNotEqual(model.ToAdapter().Modules[First].A, other.ToAdapter().Modules[First].A);
        CollectionAssert.AreNotEqual(model.ToAdapter().Modules[First].A, model.ToAdapter().Modules["h.1.self_attention.query_key_value"].A);
    }

    [TestMethod]
    public void OnlyTargetedLayersAreTrainedWithTheirOwnRanks()
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        var config = new LoraConfig { Rank = 4, TargetModules = ["query_key_value", "dense_4h_to_h"], Blocks = [1], RankPatterns = [new("dense_4h_to_h", 2)] };
        using var model = new LoraBloom(bloom.Weights, config);
        string[] expected =
        [
            "h.1.self_attention.query_key_value.lora_A.weight [4, 48]", "h.1.self_attention.query_key_value.lora_B.weight [144, 4]",
            "h.1.mlp.dense_4h_to_h.lora_A.weight [2, 192]", "h.1.mlp.dense_4h_to_h.lora_B.weight [48, 2]",
        ];
        CollectionAssert.AreEqual(expected, model.Parameters.Select(item => $"{item.Name} [{string.Join(", ", item.Value.shape)}]").ToArray());
        Assert.IsTrue(model.Parameters.All(item => item.Value.requires_grad));
    }

    [TestMethod]
    public void GradientsOfABatchAreTheSumOfThoseOfItsRows()
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        using var whole = Trained(bloom);
        using var alone = Trained(bloom);
        int[][] rows = [[5, 6, 7, 8], [9], [10, 11, 12, 13, 14, 15, 16], [1, 2]];
        var pooling = new PoolingOptions(PoolingModes.Mean);
        using DisposeScope scope = torch.NewDisposeScope();
        whole.Encode(TestRows.Of(whole.Config, rows), pooling).pow(3).sum().backward();
        foreach (int[] row in rows)
        {
            alone.Encode(TestRows.Of(alone.Config, [row]), pooling).pow(3).sum().backward();
        }
        AssertSameGradients(alone, whole, 1e-5);
    }

    [TestMethod]
    public void ChunksWithDropoutGiveTheGradientsOfTheWholeBatch()
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        LoraConfig config = All with { Dropout = 0.3 };
        using var whole = Trained(bloom, config);
        using var chunked = Trained(bloom, config);
        int[][][] columns = [[.. Enumerable.Range(0, 7).Select(row => new[] { row, row + 1, row + 2 })], [.. Enumerable.Range(0, 7).Select(row => new[] { row + 50, row + 60 })]];
        var pooling = new PoolingOptions(PoolingModes.Mean);
        var key = new DropoutKey(5, 17);
        using var loss = new MultipleNegativesRankingLoss();
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor Encode(LoraBloom model, int column, int start, int count) => model.Encode(
            TestRows.Of(model.Config, columns[column][start..(start + count)], rowKeys: [.. Enumerable.Range(start, count).Select(row => (row * 2L) + column)]), pooling, key);
        torch.Tensor value = loss.Forward([Encode(whole, 0, 0, 7), Encode(whole, 1, 0, 7)]);
        value.backward();
        double cached = GradientCache.Backward(loss, 2, 7, 3, (column, start, count) => Encode(chunked, column, start, count));
        Assert.AreEqual(value.item<float>(), cached, 1e-5 * Math.Max(1, cached));
        AssertSameGradients(whole, chunked, 1e-4);
        using torch.Tensor without = loss.Forward([.. columns.Select(column => whole.Encode(TestRows.Of(whole.Config, column), pooling))]);
        Assert.AreNotEqual(without.item<float>(), value.item<float>(), "dropout has an effect");
    }

    [TestMethod]
    public void AModelMadeInsideAScopeOutlivesIt()
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        LoraBloom model;
        using (torch.NewDisposeScope())
        {
            model = new LoraBloom(bloom.Weights, All);
        }
        using (model)
        using (torch.NewDisposeScope())
        {
            Assert.AreEqual(48, model.Encode(TestRows.Of(model.Config, [[1, 2]]), new PoolingOptions(PoolingModes.Mean)).shape[1]);
        }
    }

    [TestMethod]
    public void AnAdapterOfAnotherShapeOrForOtherLayersIsRefused()
    {
        using var small = new RandomBloom(RandomBloom.Small);
        using var wide = new RandomBloom(new BloomConfig(64, 2, 4, 50));
        using var model = new LoraBloom(small.Weights, All);
        using var other = new LoraBloom(wide.Weights, All);
        using var fewer = new LoraBloom(small.Weights, new LoraConfig { Rank = 4 });
        float[] before = model.ToAdapter().Modules["h.0.self_attention.query_key_value"].A;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => model.Load(other.ToAdapter())).Message, "64 inputs");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => model.Load(fewer.ToAdapter())).Message, "adapts 2 layers");
        CollectionAssert.AreEqual(before, model.ToAdapter().Modules["h.0.self_attention.query_key_value"].A);
    }

    [TestMethod]
    public void ConfigurationsThatCannotBeTrainedAreRefused()
    {
        using var bloom = new RandomBloom(RandomBloom.Small);
        foreach (LoraConfig config in new[] { All with { Rank = 0 }, All with { Alpha = double.NaN }, All with { Dropout = 1 }, new LoraConfig { TargetModules = ["nothing"] } })
        {
            Assert.ThrowsExactly<ArgumentException>(() => new LoraBloom(bloom.Weights, config));
        }
    }

    [TestMethod]
    public void ABatchWithoutTokensOrWithStrangeIdsIsRefused()
    {
        BloomConfig config = RandomBloom.Small;
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => TestRows.Of(config, [[], []])).Message, "2 rows has a token");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => TestRows.Of(config, [[1000]])).Message, "1000");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => TestRows.Of(config, [[1]], rowKeys: [1, 2])).Message, "2 row keys");
    }

    private static LoraBloom Trained(RandomBloom bloom, LoraConfig? config = null) =>
        new LoraBloom(bloom.Weights, config ?? All).WithTrainedAdapters();

    private static void AssertSameGradients(LoraBloom expected, LoraBloom actual, double tolerance)
    {
        foreach (((string name, torch.Tensor a), (_, torch.Tensor b)) in expected.Parameters.Zip(actual.Parameters))
        {
            double size = a.grad!.abs().max().item<float>();
            Assert.IsGreaterThan(0, size, name);
            Assert.IsLessThanOrEqualTo(tolerance * size, (a.grad! - b.grad!).abs().max().item<float>(), name);
        }
    }
}
