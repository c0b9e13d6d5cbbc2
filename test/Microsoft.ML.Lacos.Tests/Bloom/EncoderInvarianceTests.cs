using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>A sentence's bits depend on the sentence and the model alone.</summary>
[TestClass]
public sealed class EncoderInvarianceTests
{
    private static readonly int[] Lengths = [12, 1, 0, 30, 7, 150, 19, 2, 25, 3, 64, 65, 33];
    private static readonly PoolingOptions Everything = new((PoolingModes)63, 0, true);

    public static IEnumerable<object[]> Encoders =>
    [
        ["fp32", QuantizationScheme.None],
        ["int8", QuantizationScheme.Rowwise],
        ["int8 with threshold", QuantizationScheme.Rowwise],
        ["weight-only", QuantizationScheme.Rowwise],
        ["weight-only", QuantizationScheme.BlockwiseDynamic],
    ];

    [TestMethod]
    [DynamicData(nameof(Encoders))]
    public void BitsDoNotDependOnBatchOrderOrThreads(string kind, QuantizationScheme scheme)
    {
        foreach (BloomConfig config in (BloomConfig[])[new(96, 2, 6, 211), new(52, 2, 4, 97), new(10, 1, 2, 50, 1e-5f, true)])
        {
            using var model = new RandomBloom(config, scheme);
            var batch = RandomBloom.Batch(config.VocabularySize, 7, Lengths);
            using IBloomEncoder one = Create(kind, model.Weights, 1);
            float[][] expected = one.Vectors(batch, Everything);
            for (int row = 0; row < Lengths.Length; row++)
            {
                EncoderCalls.AssertSameBits(expected[row], one.Vectors(EncoderCalls.Reordered(batch, row), Everything)[0], $"{kind} row {row} alone");
            }
            int[] order = [8, 3, 0, 12, 5, 2, 1, 4, 11, 7, 6, 10, 9, 3, 3, 8];
            float[][] shuffled = one.Vectors(EncoderCalls.Reordered(batch, order), Everything);
            foreach (int threads in (int[])[2, 3, 16])
            {
                using IBloomEncoder many = Create(kind, model.Weights, threads);
                for (int i = 0; i < order.Length; i++)
                {
                    EncoderCalls.AssertSameBits(expected[order[i]], shuffled[i], $"{kind} row {order[i]} at {i}");
                }
                float[][] again = many.Vectors(batch, Everything);
                for (int row = 0; row < Lengths.Length; row++)
                {
                    EncoderCalls.AssertSameBits(expected[row], again[row], $"{kind} row {row} with {threads} threads");
                }
            }
        }
    }

    [TestMethod]
    public void ALayerLargeEnoughForSeveralThreadsKeepsItsBits()
    {
        var config = new BloomConfig(256, 1, 4, 64);
        using var model = new RandomBloom(config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(config.VocabularySize, 9, 100);
        foreach (string kind in (string[])["int8", "weight-only", "int8 with threshold"])
        {
            using IBloomEncoder one = Create(kind, model.Weights, 1);
            using IBloomEncoder many = Create(kind, model.Weights, 7);
            EncoderCalls.AssertSameBits(one.Tokens(batch), many.Tokens(batch), kind);
        }
    }

    [TestMethod]
    public void OneEncoderServesManyCallersAtOnce()
    {
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var encoder = new ManagedBloomEncoder(model.Weights, threadCount: 2);
        var batch = RandomBloom.Batch(RandomBloom.Small.VocabularySize, 8, 9, 4, 17);
        float[] expected = encoder.Tokens(batch);
        Parallel.For(0, 64, _ => EncoderCalls.AssertSameBits(expected, encoder.Tokens(batch), "concurrent call"));
    }

    private static IBloomEncoder Create(string kind, BloomWeights weights, int threads) => kind switch
    {
        "fp32" => new Float32BloomEncoder(weights, threads),
        "int8" => new ManagedBloomEncoder(weights, BloomCompute.Int8, 0, threads),
        "int8 with threshold" => new ManagedBloomEncoder(weights, BloomCompute.Int8, 2.5f, threads),
        _ => new ManagedBloomEncoder(weights, BloomCompute.Int8WeightOnly, 0, threads),
    };
}
