using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
public sealed class EncoderArgumentTests
{
    private const int Vocabulary = 101, Hidden = 48;

    [TestMethod]
    [DataRow(new int[0], new int[0], 0, "there are none")]
    [DataRow(new[] { 1, 2 }, new[] { 0, 1 }, 1, "run from 0 to 1")]
    [DataRow(new[] { 1, 2 }, new[] { 1, 2 }, 1, "run from 1 to 2")]
    [DataRow(new[] { 1, 2 }, new[] { 0, 2, 1, 2 }, 3, "offset 2 is 1 after 2")]
    [DataRow(new[] { 1, 2 }, new[] { 0, 9, 2 }, 2, "offset 1 is 9 after 0")]
    [DataRow(new[] { 1, Vocabulary }, new[] { 0, 2 }, 1, "Token id 101 at position 1")]
    [DataRow(new[] { -1 }, new[] { 0, 1 }, 1, "Token id -1 at position 0")]
    public void ImpossibleBatchesAreRefusedWithTheNumberSeen(int[] ids, int[] offsets, int rows, string seen) => ForBoth(encoder =>
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode(ids, offsets, [], EncoderCalls.Mean, new float[rows * Hidden])).Message, seen);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.EncodeTokens(ids, offsets, new float[ids.Length * Hidden])).Message, seen);
    });

    [TestMethod]
    [DataRow(PoolingModes.None, 0, Hidden, "Pooling is 'None'")]
    [DataRow((PoolingModes)64, 0, Hidden, "Pooling is '64'")]
    [DataRow(PoolingModes.Mean, -1, Hidden, "Dimension is -1")]
    [DataRow(PoolingModes.Mean, 49, 49, "Dimension is 49")]
    [DataRow(PoolingModes.Mean, 0, 47, "output has 47 elements")]
    [DataRow(PoolingModes.Mean, 10, Hidden, "1 rows of 10 need 10")]
    public void ImpossiblePoolingIsRefusedWithTheNumberSeen(PoolingModes modes, int dimension, int length, string seen) => ForBoth(encoder =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode([1], [0, 1], [], new PoolingOptions(modes, dimension), new float[length])).Message, seen));

    [TestMethod]
    public void PoolingStartsAreOneARowAndNotNegative() => ForBoth(encoder =>
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode([1], [0, 1], [0, 0], EncoderCalls.Mean, new float[Hidden])).Message, "2 pooling starts for 1 rows");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode([1], [0, 1], [-3], EncoderCalls.Mean, new float[Hidden])).Message, "-3");
    });

    [TestMethod]
    public void AnEmptyBatchAndEmptyRowsAreFine() => ForBoth(encoder =>
    {
        encoder.Encode([], [0], [], EncoderCalls.Mean, []);
        encoder.EncodeTokens([], [0, 0, 0], []);
        float[][] vectors = encoder.Vectors(([5], [0, 0, 1, 1]), EncoderCalls.Mean);
        Assert.IsTrue(Array.TrueForAll(vectors[0], element => element == 0));
        Assert.IsTrue(Array.Exists(vectors[1], element => element != 0));
        Assert.IsTrue(Array.TrueForAll(vectors[2], element => element == 0));
    });

    [TestMethod]
    public void WeightsThatLackAPartAreRefusedByItsName()
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        BloomWeights whole = model.Weights;
        (BloomWeights Weights, string Lacks)[] cases =
        [
            (whole with { Config = null! }, "'Config'"),
            (whole with { Blocks = null! }, "'Blocks'"),
            (whole with { Blocks = [whole.Blocks[0], null!] }, "'h.1'"),
            (whole with { WordEmbeddings = null! }, "'word_embeddings'"),
            (whole with { FinalLayerNorm = null! }, "'ln_f'"),
            (whole with { FinalLayerNorm = whole.FinalLayerNorm with { Bias = null! } }, "'ln_f.bias'"),
            (whole with { Blocks = [whole.Blocks[0] with { Dense = null! }, whole.Blocks[1]] }, "'h.0.self_attention.dense'"),
        ];
        foreach ((BloomWeights weights, string lacks) in cases)
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(weights)).Message, lacks);
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new Float32BloomEncoder(weights)).Message, lacks);
        }
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    [DataRow(-1e-5f)]
    public void AnEpsilonThatIsNoneIsRefused(float epsilon)
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        BloomWeights weights = model.Weights with { Config = model.Weights.Config with { LayerNormEpsilon = epsilon } };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(weights)).Message, "epsilon");
    }

    [TestMethod]
    public void ADisposedEncoderSaysSo() => ForBoth(encoder =>
    {
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.EncodeTokens([1], [0, 1], new float[Hidden]));
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Encode([1], [0, 1], [], EncoderCalls.Mean, new float[Hidden]));
    });

    [TestMethod]
    public void WeightsThatDoNotFitTheConfigurationAreNamed()
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        BloomWeights weights = model.Weights;
        void Refused(BloomWeights wrong, string seen)
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new Float32BloomEncoder(wrong)).Message, seen);
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(wrong)).Message, seen);
        }
        Refused(weights with { Config = weights.Config with { HeadCount = 5 } }, "hidden size of 48 cannot be split among 5 heads");
        Refused(weights with { Config = weights.Config with { HeadCount = 0 } }, "among 0 heads");
        Refused(weights with { Config = weights.Config with { LayerCount = 9 } }, "9 blocks");
        Refused(weights with { Config = weights.Config with { VocabularySize = 102 } }, "word_embeddings.weight is 101 x 48");
        Refused(weights with { FinalLayerNorm = new LayerNormWeights(new float[48], new float[47]) }, "ln_f.bias has 47");
        BloomBlockWeights swapped = weights.Blocks[1] with { Dense = weights.Blocks[1].QueryKeyValue };
        Refused(weights with { Blocks = [weights.Blocks[0], swapped] }, "h.1.self_attention.dense.weight is 144 x 48");
    }

    private static void ForBoth(Action<IBloomEncoder> check)
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var oracle = new Float32BloomEncoder(model.Weights);
        using var managed = new ManagedBloomEncoder(model.Weights);
        check(oracle);
        check(managed);
    }
}
