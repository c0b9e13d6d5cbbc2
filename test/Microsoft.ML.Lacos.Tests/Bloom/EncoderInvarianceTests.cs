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
    [DynamicData(nameof(Encoders))]
    public void SentencesThatBeginAlikeHaveTheBitsOfEachAlone(string kind, QuantizationScheme scheme)
    {
        var config = new BloomConfig(96, 2, 6, 211);
        using var model = new RandomBloom(config, scheme);
        (int[] ids, _) = RandomBloom.Batch(config.VocabularySize, 11, 200);
        // Beginning, end and how much of the one stands before the other.
        (int Shared, int Own)[] shapes = [(20, 0), (20, 5), (20, 9), (20, 9), (0, 0), (60, 1), (61, 40), (60, 40), (0, 3), (7, 2), (150, 1), (150, 0)];
        int[][] sentences = [.. shapes.Select((shape, i) => (int[])[.. ids[..shape.Shared], .. ids.Reverse().Skip(i / 2).Take(shape.Own)])];
        (int[], int[]) Batch(params int[] order) => EncoderCalls.Reordered(([.. sentences.SelectMany(sentence => sentence)], [.. sentences.Aggregate(new List<int> { 0 }, (ends, sentence) => [.. ends, ends[^1] + sentence.Length])]), order);
        using IBloomEncoder one = Create(kind, model.Weights, 1), many = Create(kind, model.Weights, 3);
        foreach (int[] order in (int[][])[[.. Enumerable.Range(0, 12)], [11, 10, 6, 5, 7, 3, 3, 2, 1, 0, 4, 9, 8, 9]])
        {
            foreach (IBloomEncoder encoder in new[] { one, many })
            {
                float[][] together = encoder.Vectors(Batch(order), Everything, [.. order.Select(row => row % 3)]);
                for (int i = 0; i < order.Length; i++)
                {
                    EncoderCalls.AssertSameBits(one.Vectors(Batch(order[i]), Everything, order[i] % 3)[0], together[i], $"{kind} row {order[i]} at {i}");
                }
            }
        }
    }

    // Their rows are computed once: buffers for all of them would be five times as large.
    [TestMethod]
    public void EqualSentencesTakeTheBuffersOfOne()
    {
        var config = new BloomConfig(96, 2, 6, 211);
        using var model = new RandomBloom(config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(config.VocabularySize, 12, 25);
        long Allocated(int sentences)
        {
            using IBloomEncoder encoder = Create("int8", model.Weights, 1);
            var many = EncoderCalls.Reordered(batch, new int[sentences]);
            var vectors = new float[sentences * config.HiddenSize];
            long before = GC.GetAllocatedBytesForCurrentThread();
            encoder.Encode(many.Ids, many.Offsets, [], EncoderCalls.Mean, vectors);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        // What is rented is there from the second time on.
        Allocated(50);
        long one = Allocated(1), fifty = Allocated(50);
        Assert.IsLessThan(2 * one, fifty);
    }

    [TestMethod]
    public void SharedTokensTakeARowOnce()
    {
        int[] ids = [1, 2, 3, 1, 2, 4, 5, 1, 2, 4, 7], offsets = [0, 3, 7, 10, 10, 11];
        SharedRows rows = SharedRows.Of(ids, offsets, share: true);
        CollectionAssert.AreEqual(new[] { 1, 2, 3, 4, 5, 7 }, rows.Ids);
        CollectionAssert.AreEqual(new[] { 0, 1, 3, 4 }, rows.RowsOf(1).ToArray());
        CollectionAssert.AreEqual(new[] { 0, 1, 3 }, rows.RowsOf(2).ToArray());
        CollectionAssert.AreEqual(new[] { 0, 2, 3, 0, 0 }, Enumerable.Range(0, 5).Select(rows.SharedTokens).ToArray());
        CollectionAssert.AreEqual(new[] { 0, 3, 5, 5, 5, 6 }, SharedRows.Ends(ids, offsets));
        Assert.IsTrue(rows.AnyShared);
        Assert.IsFalse(SharedRows.Of(ids, offsets, share: false).AnyShared);
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
