using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
public sealed class NativeBloomEncoderTests
{
    private static readonly int[] Lengths = [12, 1, 0, 30, 7, 150, 19, 2, 25, 3, 64, 65, 33];
    private static readonly PoolingOptions Everything = new((PoolingModes)63, 0, true);

    /// <summary>Every kernel set that can run here, with every arithmetic and scheme.</summary>
    public static IEnumerable<object[]> Cases =>
        from kernel in NativeKernels.Usable()
        from pair in new[]
        {
            (BloomCompute.Int8, QuantizationScheme.Rowwise), (BloomCompute.Int8WeightOnly, QuantizationScheme.Rowwise), (BloomCompute.Int8WeightOnly, QuantizationScheme.BlockwiseDynamic),
            (BloomCompute.Int8WeightOnly, QuantizationScheme.BlockwiseLinear), (BloomCompute.Float32, QuantizationScheme.None),
        }
        select new object[] { kernel, pair.Item1, pair.Item2 };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void VectorsAgreeWithTheManagedEncoder(string kernel, BloomCompute compute, QuantizationScheme scheme)
    {
        NativeKernels.Require();
        foreach (BloomConfig config in (BloomConfig[])[new(96, 2, 6, 211), new(52, 2, 4, 97), new(10, 1, 2, 50, 1e-5f, true)])
        {
            using var model = new RandomBloom(config, scheme);
            var batch = RandomBloom.Batch(config.VocabularySize, 7, Lengths);
            using IBloomEncoder managed = compute == BloomCompute.Float32 ? new Float32BloomEncoder(model.Weights) : new ManagedBloomEncoder(model.Weights, compute);
            using var native = new NativeBloomEncoder(model.Weights, compute, isa: kernel);
            float[][] expected = managed.Vectors(batch, EncoderCalls.Mean);
            float[][] actual = native.Vectors(batch, EncoderCalls.Mean);
            for (int row = 0; row < Lengths.Length; row++)
            {
                if (Lengths[row] == 0)
                {
                    Assert.IsTrue(actual[row].All(value => value == 0));
                    continue;
                }
                // A code on a tie may round the other way after sums in another order, so int8 is close and not equal.
                double cosine = EncoderCalls.MeanCosine([expected[row]], [actual[row]]);
                Assert.IsGreaterThan(compute == BloomCompute.Int8 ? 1 - 1e-4 : 1 - 1e-6, cosine, $"{config} row {row}");
            }
            Assert.IsGreaterThan(1 - 1e-5, EncoderCalls.MeanCosine([.. expected.Where(row => row[0] != 0)], [.. actual.Where(row => row[0] != 0)]));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void PoolingAndPromptsFollowTheManagedEncoder(string kernel, BloomCompute compute, QuantizationScheme scheme)
    {
        NativeKernels.Require();
        using var model = new RandomBloom(RandomBloom.Small, scheme);
        var batch = RandomBloom.Batch(RandomBloom.Small.VocabularySize, 3, 5, 9, 2, 1);
        using IBloomEncoder managed = compute == BloomCompute.Float32 ? new Float32BloomEncoder(model.Weights) : new ManagedBloomEncoder(model.Weights, compute);
        using var native = new NativeBloomEncoder(model.Weights, compute, isa: kernel);
        foreach (PoolingModes mode in Enum.GetValues<PoolingModes>().Where(mode => mode != PoolingModes.None).Append((PoolingModes)63))
        {
            var options = new PoolingOptions(mode, 40);
            float[][] expected = managed.Vectors(batch, options, 2, 0, 2, 7);
            float[][] actual = native.Vectors(batch, options, 2, 0, 2, 7);
            Assert.IsTrue(actual[2].Concat(actual[3]).All(value => value == 0));
            double scale = expected.SelectMany(row => row).Max(Math.Abs);
            for (int row = 0; row < 2; row++)
            {
                for (int i = 0; i < 40; i++)
                {
                    Assert.AreEqual(expected[row][i], actual[row][i], (compute == BloomCompute.Int8 ? 2e-2 : 2e-5) * scale, $"{mode} row {row} element {i}");
                }
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void BitsDoNotDependOnBatchOrderThreadsOrCallers(string kernel, BloomCompute compute, QuantizationScheme scheme)
    {
        NativeKernels.Require();
        var config = new BloomConfig(52, 2, 4, 97);
        using var model = new RandomBloom(config, scheme);
        var batch = RandomBloom.Batch(config.VocabularySize, 7, Lengths);
        using var one = new NativeBloomEncoder(model.Weights, compute, threadCount: 1, isa: kernel);
        using var three = new NativeBloomEncoder(model.Weights, compute, threadCount: 3, isa: kernel);
        float[][] expected = one.Vectors(batch, Everything);
        int[] order = [8, 3, 0, 12, 5, 2, 1, 4, 11, 7, 6, 10, 9, 3, 3, 8];
        Parallel.For(0, 8, caller =>
        {
            IBloomEncoder encoder = caller % 2 == 0 ? three : one;
            float[][] shuffled = encoder.Vectors(EncoderCalls.Reordered(batch, order), Everything);
            for (int i = 0; i < order.Length; i++)
            {
                EncoderCalls.AssertSameBits(expected[order[i]], shuffled[i], $"row {order[i]} at {i}");
            }
            EncoderCalls.AssertSameBits(expected[caller], encoder.Vectors(EncoderCalls.Reordered(batch, caller), Everything)[0], $"row {caller} alone");
        });
    }

    [TestMethod]
    public void DescriptionNamesTheKernelsAndTheThreads()
    {
        NativeKernels.Require();
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var encoder = new NativeBloomEncoder(model.Weights, BloomCompute.Int8, threadCount: 1, isa: "scalar");
        Assert.AreEqual("native scalar, 1 thread", encoder.Description);
        Assert.AreEqual(BloomCompute.Int8, encoder.Compute);
        Assert.AreEqual(RandomBloom.Small, encoder.Config);
        Assert.IsGreaterThan(12L * 48 * 48 * 2, encoder.PackedBytes);
    }

    [TestMethod]
    public void WrongArgumentsAreRefusedWithTheValueSeen()
    {
        NativeKernels.Require();
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        using var encoder = new NativeBloomEncoder(model.Weights, BloomCompute.Int8);
        var vector = new float[48];
        Refused<ArgumentException>("token_ids[1] is 101", () => encoder.Encode([1, 101], [0, 2], [], EncoderCalls.Mean, vector));
        Refused<ArgumentException>("token_ids[0] is -1", () => encoder.Encode([-1, 1], [0, 2], [], EncoderCalls.Mean, vector));
        Refused<ArgumentException>("the token count, 2", () => encoder.Encode([1, 2], [0, 1], [], EncoderCalls.Mean, vector));
        Refused<ArgumentException>("rows + 1", () => encoder.Encode([1, 2], [], [], EncoderCalls.Mean, vector));
        Refused<ArgumentException>("3 values for 1 rows", () => encoder.Encode([1, 2], [0, 2], [1, 1, 1], EncoderCalls.Mean, vector));
        Refused<ArgumentException>("vector_length is 47", () => encoder.Encode([1, 2], [0, 2], [], EncoderCalls.Mean, vector.AsSpan(1)));
        Refused<ArgumentException>("pooling is 0", () => encoder.Encode([1, 2], [0, 2], [], new PoolingOptions(PoolingModes.None), vector));
        Refused<ArgumentException>("dimension is 49", () => encoder.Encode([1, 2], [0, 2], [], new PoolingOptions(PoolingModes.Mean, 49), vector));
        Refused<ArgumentException>("mmx", () => new NativeBloomEncoder(model.Weights, BloomCompute.Int8, isa: "mmx").Dispose());
        using var broken = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise, weightOfNaN: float.NaN);
        Refused<ArgumentException>("h.0.self_attention.dense", () => new NativeBloomEncoder(broken.Weights, BloomCompute.Int8).Dispose());
        using var blocks = new RandomBloom(RandomBloom.Small, QuantizationScheme.BlockwiseDynamic);
        Refused<ArgumentException>("row-wise", () => new NativeBloomEncoder(blocks.Weights, BloomCompute.Int8).Dispose());
    }

    [TestMethod]
    public void ADisposedEncoderRefusesInsteadOfCrashing()
    {
        NativeKernels.Require();
        using var model = new RandomBloom(RandomBloom.Small, QuantizationScheme.Rowwise);
        var encoder = new NativeBloomEncoder(model.Weights, BloomCompute.Int8);
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Encode([1], [0, 1], [], EncoderCalls.Mean, new float[48]));
    }

    private static void Refused<TException>(string part, Action action)
        where TException : Exception => StringAssert.Contains(Assert.ThrowsExactly<TException>(action).Message, part);
}
