using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
public sealed class ManagedBloomEncoderTests
{
    private static readonly BloomConfig Config = new(96, 3, 6, 211);

    [TestMethod]
    public void Int8IsCloseToTheOracleAndWeightOnlyIsCloser()
    {
        using var exact = new RandomBloom(Config);
        using var coded = new RandomBloom(Config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(Config.VocabularySize, 3, 12, 1, 30, 7, 19, 2, 25, 9);
        using var oracle = new Float32BloomEncoder(exact.Weights);
        using var int8 = new ManagedBloomEncoder(coded.Weights);
        using var weightOnly = new ManagedBloomEncoder(coded.Weights, BloomCompute.Int8WeightOnly);
        float[][] wanted = oracle.Vectors(batch, EncoderCalls.Mean);
        double cosine = EncoderCalls.MeanCosine(wanted, int8.Vectors(batch, EncoderCalls.Mean));
        double weightOnlyCosine = EncoderCalls.MeanCosine(wanted, weightOnly.Vectors(batch, EncoderCalls.Mean));
        Assert.IsGreaterThan(0.999, cosine);
        Assert.IsGreaterThan(cosine, weightOnlyCosine);
        Assert.IsLessThan(1.0, cosine, "int8 arithmetic that changes nothing is not int8 arithmetic");
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None, 0.9999999)]
    [DataRow(QuantizationScheme.Rowwise, 0.9998)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, 0.99)]
    [DataRow(QuantizationScheme.BlockwiseLinear, 0.9998)]
    public void WeightOnlyExecutesEveryScheme(QuantizationScheme scheme, double least)
    {
        using var exact = new RandomBloom(Config);
        using var coded = new RandomBloom(Config, scheme);
        var batch = RandomBloom.Batch(Config.VocabularySize, 4, 5, 40, 17);
        using var oracle = new Float32BloomEncoder(exact.Weights);
        using var oracleOfCoded = new Float32BloomEncoder(coded.Weights);
        using var weightOnly = new ManagedBloomEncoder(coded.Weights, BloomCompute.Int8WeightOnly);
        float[][] vectors = weightOnly.Vectors(batch, EncoderCalls.Mean);
        Assert.IsGreaterThan(least, EncoderCalls.MeanCosine(oracle.Vectors(batch, EncoderCalls.Mean), vectors));
        Assert.IsGreaterThan(0.999999, EncoderCalls.MeanCosine(oracleOfCoded.Vectors(batch, EncoderCalls.Mean), vectors));
    }

    [TestMethod]
    public void AnOutlierHeavyNeighbourDoesNotChangeASentence()
    {
        using RandomBloom model = WithOutlierToken(out int loud);
        using var mixed = new ManagedBloomEncoder(model.Weights, outlierThreshold: 4, threadCount: 1);
        using var plain = new ManagedBloomEncoder(model.Weights, threadCount: 1);
        (int[], int[]) quiet = ([1, 2, 3, 4, 5], [0, 5]);
        (int[], int[]) both = ([1, 2, 3, 4, 5, loud, loud, 7], [0, 5, 8]);
        float[][] together = mixed.Vectors(both, EncoderCalls.Mean);
        EncoderCalls.AssertSameBits(mixed.Vectors(quiet, EncoderCalls.Mean)[0], together[0], "the quiet sentence");
        CollectionAssert.AreNotEqual(plain.Vectors(both, EncoderCalls.Mean)[1], together[1], "the loud sentence must have outlier columns, else this test says nothing");
    }

    [TestMethod]
    public void AThresholdThatNothingReachesChangesNoBit()
    {
        using var model = new RandomBloom(Config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(Config.VocabularySize, 5, 3, 9);
        using var plain = new ManagedBloomEncoder(model.Weights);
        using var mixed = new ManagedBloomEncoder(model.Weights, outlierThreshold: 1e30f);
        EncoderCalls.AssertSameBits(plain.Tokens(batch), mixed.Tokens(batch), "threshold 1e30");
    }

    [TestMethod]
    public void AThresholdThatEverythingReachesIsWeightOnly()
    {
        using var model = new RandomBloom(Config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(Config.VocabularySize, 5, 3, 9);
        using var weightOnly = new ManagedBloomEncoder(model.Weights, BloomCompute.Int8WeightOnly);
        using var mixed = new ManagedBloomEncoder(model.Weights, outlierThreshold: 1e-30f);
        Assert.IsGreaterThan(0.999999, EncoderCalls.MeanCosine(weightOnly.Vectors(batch, EncoderCalls.Mean), mixed.Vectors(batch, EncoderCalls.Mean)));
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    [DataRow(float.NegativeInfinity)]
    public void NonFiniteWeightsGiveNaNAndNoCrash(float value)
    {
        using var model = new RandomBloom(Config, QuantizationScheme.Rowwise, weightOfNaN: value);
        var batch = RandomBloom.Batch(Config.VocabularySize, 6, 4, 0, 11);
        foreach (Func<IBloomEncoder> create in (Func<IBloomEncoder>[])
            [() => new Float32BloomEncoder(model.Weights), () => new ManagedBloomEncoder(model.Weights), () => new ManagedBloomEncoder(model.Weights, outlierThreshold: 6), () => new ManagedBloomEncoder(model.Weights, BloomCompute.Int8WeightOnly)])
        {
            using IBloomEncoder encoder = create();
            float[][] vectors = encoder.Vectors(batch, EncoderCalls.Mean);
            Assert.IsTrue(float.IsNaN(vectors[0][0]), encoder.Description);
            Assert.IsTrue(Array.TrueForAll(vectors[1], element => element == 0), encoder.Description);
        }
    }

    [TestMethod]
    public void ArithmeticThatDoesNotGoWithTheWeightsIsRefused()
    {
        using var floats = new RandomBloom(RandomBloom.Small);
        using var codes = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(floats.Weights)).Message, "stored as None");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(codes.Weights, BloomCompute.Float32)).Message, nameof(Float32BloomEncoder));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(codes.Weights, BloomCompute.Int8WeightOnly, 6)).Message, "threshold is 6");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ManagedBloomEncoder(codes.Weights, outlierThreshold: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ManagedBloomEncoder(codes.Weights, outlierThreshold: float.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ManagedBloomEncoder(codes.Weights, threadCount: -1));
    }

    /// <summary>A model in which one token's embedding is so lopsided that its layer-normed features pass 4.</summary>
    private static unsafe RandomBloom WithOutlierToken(out int token)
    {
        var model = new RandomBloom(Config, QuantizationScheme.Rowwise);
        token = 200;
        sbyte* row = (sbyte*)model.Weights.WordEmbeddings.Data + ((long)token * Config.HiddenSize);
        new Span<sbyte>(row, Config.HiddenSize).Clear();
        row[17] = 127;
        return model;
    }
}
