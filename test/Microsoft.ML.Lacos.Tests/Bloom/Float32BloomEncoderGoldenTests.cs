using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
[TestCategory("Golden")]
public sealed unsafe class Float32BloomEncoderGoldenTests
{
    private const double Tolerance = 2e-5;

    private static readonly (string Name, PoolingModes Mode)[] Modes =
    [
        ("first", PoolingModes.FirstToken), ("max", PoolingModes.Max), ("mean", PoolingModes.Mean),
        ("mean_sqrt_len", PoolingModes.MeanSqrtLength), ("weightedmean", PoolingModes.WeightedMean), ("lasttoken", PoolingModes.LastToken),
    ];

    [TestMethod]
    public void EveryBlockOfEveryCheckpointAgreesWithTheReferencePaddedOnEitherSide() => ForEachCase((name, encoder, expected) =>
    {
        int hidden = encoder.Config.HiddenSize, layers = encoder.Config.LayerCount;
        foreach (string side in (string[])["left", "right"])
        {
            PaddedReference padded = PaddedReference.Read(expected, side);
            var seen = new float[layers + 1][];
            for (int i = 0; i <= layers; i++)
            {
                seen[i] = new float[padded.Batch.Ids.Length * hidden];
            }
            var last = new float[padded.Batch.Ids.Length * hidden];
            encoder.EncodeTokens(padded.Batch.Ids, padded.Batch.Offsets, last, (row, block, states) => states.CopyTo(seen[block].AsSpan(padded.Batch.Offsets[row] * hidden)));

            for (int i = 0; i < layers; i++)
            {
                Compare(padded.RealTokens(expected.ReadFloats($"{side}.hidden_states.{i}"), hidden), seen[i], $"{name} {side}.hidden_states.{i}");
            }
            Compare(padded.RealTokens(expected.ReadFloats($"{side}.last_block_output"), hidden), seen[layers], $"{name} {side}.last_block_output");
            Compare(padded.RealTokens(expected.ReadFloats($"{side}.hidden_states.{layers}"), hidden), last, $"{name} {side}.hidden_states.{layers}");
            Compare(padded.RealTokens(expected.ReadFloats($"{side}.last_hidden_state"), hidden), last, $"{name} {side}.last_hidden_state");
        }
    });

    [TestMethod]
    public void EveryPoolingOfEveryCheckpointAgreesWithTheReference() => ForEachCase((name, encoder, expected) =>
    {
        foreach (string side in (string[])["left", "right"])
        {
            PaddedReference padded = PaddedReference.Read(expected, side);
            foreach ((string pooling, PoolingModes mode) in Modes)
            {
                float[] vectors = [.. encoder.Vectors(padded.Batch, new PoolingOptions(mode)).SelectMany(row => row)];
                Compare(expected.ReadFloats($"{side}.pooled.{pooling}"), vectors, $"{name} {side}.pooled.{pooling}");
            }
        }
    });

    [TestMethod]
    public void SequencesOfTheIndexAreThoseOfThePaddedBatches() => ForEachCase((name, encoder, expected) =>
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(TestData.Golden("bloom", "index.json")));
        JsonElement entry = index.RootElement.EnumerateArray().Single(element => element.GetProperty("name").GetString() == name);
        int[][] sequences = entry.GetProperty("sequences").Deserialize<int[][]>()!;
        int[] ids = [.. sequences.SelectMany(sequence => sequence)];
        CollectionAssert.AreEqual(ids, PaddedReference.Read(expected, "left").Batch.Ids);
        CollectionAssert.AreEqual(ids, PaddedReference.Read(expected, "right").Batch.Ids);
    });

    [TestMethod]
    public void ASentenceAloneHasTheBitsItHasInItsBatch() => ForEachCase((name, encoder, expected) =>
    {
        PaddedReference padded = PaddedReference.Read(expected, "left");
        float[] together = encoder.Tokens(padded.Batch);
        for (int row = 0; row < padded.Batch.Offsets.Length - 1; row++)
        {
            float[] alone = encoder.Tokens(EncoderCalls.Reordered(padded.Batch, row));
            EncoderCalls.AssertSameBits(together.AsSpan(padded.Batch.Offsets[row] * encoder.Config.HiddenSize, alone.Length), alone, $"{name} row {row}");
        }
    });

    [TestMethod]
    public void OutlierThresholdBringsInt8NearerToTheReferenceWhereAChannelIsLarge()
    {
        string folder = TestData.Golden("bloom", "outliers-fp32");
        using BloomCheckpoint exact = BloomCheckpoint.Load(folder);
        using BloomCheckpoint coded = BloomCheckpoint.Load(folder, QuantizationScheme.Rowwise);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        (int[] Ids, int[] Offsets) batch = PaddedReference.Read(expected, "right").Batch;
        using var oracle = new Float32BloomEncoder(exact.Weights);
        using var plain = new ManagedBloomEncoder(coded.Weights);
        using var mixed = new ManagedBloomEncoder(coded.Weights, outlierThreshold: 6);
        float[][] wanted = oracle.Vectors(batch, EncoderCalls.Mean);
        double without = EncoderCalls.MeanCosine(wanted, plain.Vectors(batch, EncoderCalls.Mean));
        double with = EncoderCalls.MeanCosine(wanted, mixed.Vectors(batch, EncoderCalls.Mean));
        Assert.IsGreaterThan(without, with, $"cosine {without} without, {with} with the threshold");
        Assert.IsGreaterThan(0.999, with);
    }

    private static void ForEachCase(Action<string, Float32BloomEncoder, SafetensorsFile> check)
    {
        string[] folders = [.. Directory.GetDirectories(TestData.Golden("bloom")).Order(StringComparer.Ordinal)];
        Assert.AreNotEqual(0, folders.Length);
        foreach (string folder in folders)
        {
            using BloomCheckpoint checkpoint = BloomCheckpoint.Load(folder);
            using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
            using var encoder = new Float32BloomEncoder(checkpoint.Weights);
            check(Path.GetFileName(folder), encoder, expected);
        }
    }

    private static void Compare(float[] expected, float[] actual, string what)
    {
        Assert.HasCount(expected.Length, actual, what);
        double scale = expected.Max(Math.Abs);
        Assert.AreNotEqual(0, scale, what);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], Tolerance * scale, $"{what}: element {i}");
        }
    }
}
