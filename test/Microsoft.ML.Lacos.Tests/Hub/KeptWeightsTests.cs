using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Bloom;

namespace Microsoft.ML.Lacos.Tests.Hub;

/// <summary>Matrices that are kept beyond their model. A read of memory that is gone would end this process, and with it the run.</summary>
[TestClass]
public sealed unsafe class KeptWeightsTests
{
    private static readonly QuantizationScheme[] s_schemes = Enum.GetValues<QuantizationScheme>();

    [TestMethod]
    public void AKeptMatrixIsRefusedOnceTheModelIsDisposed()
    {
        foreach (QuantizationScheme scheme in s_schemes)
        {
            using var folder = new TemporaryFolder();
            LacosModel model = Mapped(folder, scheme);
            WeightMatrix[] kept = Matrices(model.Weights);
            model.Dispose();
            foreach (WeightMatrix matrix in kept)
            {
                string message = Assert.ThrowsExactly<ObjectDisposedException>(() => matrix.DequantizeRow(0, new float[matrix.Columns])).Message;
                StringAssert.Contains(message, $"{matrix.Rows} x {matrix.Columns} weights");
                StringAssert.Contains(message, "Read them before");
                Assert.ThrowsExactly<ObjectDisposedException>(() => (nint)matrix.Data);
                Assert.ThrowsExactly<ObjectDisposedException>(() => matrix.Pin());
            }
        }
    }

    [TestMethod]
    public void AKeptMatrixLastsAsLongAsAnEncoderOfTheModel()
    {
        using var folder = new TemporaryFolder();
        LacosModel model = Mapped(folder, QuantizationScheme.Rowwise);
        WeightMatrix matrix = model.Weights.WordEmbeddings;
        float[] expected = Row(matrix, 3);
        SentenceEncoder encoder = SentenceEncoder.Create(model);
        model.Dispose();
        CollectionAssert.AreEqual(expected, Row(matrix, 3));
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Row(matrix, 3));
    }

    [TestMethod]
    public void PinnedMatricesOutliveTheModelAndTheMappingGoesWithTheLast()
    {
        using var folder = new TemporaryFolder();
        LacosModel model = Mapped(folder, QuantizationScheme.Rowwise);
        WeightMatrix matrix = model.Weights.Blocks[1].Dense.Weight;
        byte[] codes = new ReadOnlySpan<byte>(matrix.Data, matrix.Rows * matrix.Columns).ToArray();
        MemoryHandle one = matrix.Pin(), other = model.Weights.WordEmbeddings.Pin(), copy = one;
        model.Dispose();
        CollectionAssert.AreEqual(codes, new ReadOnlySpan<byte>(one.Pointer, codes.Length).ToArray());
        one.Dispose();
        copy.Dispose();
        AssertMapped(folder, true);
        other.Dispose();
        AssertMapped(folder, false);
        Assert.ThrowsExactly<ObjectDisposedException>(() => matrix.Pin());
    }

    [TestMethod]
    public void ReadersThatMeetTheDisposeGetTheRowOrARefusal()
    {
        foreach (QuantizationScheme scheme in s_schemes)
        {
            using var folder = new TemporaryFolder();
            Mapped(folder, scheme).Dispose();
            for (int round = 0; round < 40; round++)
            {
                LacosModel model = LacosModel.Load(folder.File("a.lacos"));
                WeightMatrix matrix = model.Weights.Blocks[0].DenseHTo4H.Weight;
                float[][] expected = [.. Enumerable.Range(0, matrix.Rows).Select(row => Row(matrix, row))];
                using var reading = new CountdownEvent(2);
                Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
                    () =>
                    {
                        reading.Signal();
                        Assert.ThrowsExactly<ObjectDisposedException>(() =>
                        {
                            for (int row = 0; ; row = (row + 1) % expected.Length)
                            {
                                CollectionAssert.AreEqual(expected[row], Row(matrix, row));
                            }
                        });
                    },
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default))];
                reading.Wait();
                model.Dispose();
                Task.WaitAll(readers);
                AssertMapped(folder, false);
            }
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void AnEncoderOverKeptWeightsHoldsThemUntilItsLastCall(bool isInt8)
    {
        using var folder = new TemporaryFolder();
        Mapped(folder, QuantizationScheme.Rowwise).Dispose();
        (int[] ids, int[] offsets) = RandomBloom.Batch(TinyModel.Vocabulary, 3, 9, 40, 1);
        float[]? expected = null;
        for (int round = 0; round < 20; round++)
        {
            LacosModel model = LacosModel.Load(folder.File("a.lacos"));
            BloomWeights weights = model.Weights;
            IBloomEncoder encoder = isInt8 ? new ManagedBloomEncoder(weights, threadCount: 2) : new Float32BloomEncoder(weights, 2);
            model.Dispose();
            float[] first = Encode(encoder, ids, offsets);
            CollectionAssert.AreEqual(expected ??= first, first);
            AssertMapped(folder, true);

            var called = new BlockingCollection<bool>();
            Task calls = Task.Factory.StartNew(
                () => Assert.ThrowsExactly<ObjectDisposedException>(() =>
                {
                    while (true)
                    {
                        CollectionAssert.AreEqual(expected, Encode(encoder, ids, offsets));
                        called.Add(true);
                    }
                }),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            called.Take();
            encoder.Dispose();
            calls.Wait();
            AssertMapped(folder, false);
            Assert.ThrowsExactly<ObjectDisposedException>(() => isInt8 ? new ManagedBloomEncoder(weights) : (IBloomEncoder)new Float32BloomEncoder(weights));
        }
    }

    [TestMethod]
    public void AnEncoderThatCannotBeMadeHoldsNothing()
    {
        using var folder = new TemporaryFolder();
        LacosModel model = Mapped(folder, QuantizationScheme.BlockwiseDynamic);
        Assert.ThrowsExactly<ArgumentException>(() => new ManagedBloomEncoder(model.Weights, BloomCompute.Int8));
        model.Dispose();
        AssertMapped(folder, false);
    }

    [TestMethod]
    public void MergedWeightsRefuseWhatTheyShareWithADisposedModel()
    {
        using var folder = new TemporaryFolder();
        LacosModel model = Mapped(folder, QuantizationScheme.Rowwise);
        BloomWeights kept = model.Weights;
        const string Module = "h.0.self_attention.dense";
        var config = new LoraConfig { Rank = 1, Alpha = 1, TargetPattern = Module };
        var adapter = new PeftAdapter(config, new Dictionary<string, LoraMatrices> { [Module] = new(1, new float[TinyModel.Hidden], new float[TinyModel.Hidden]) });
        using MergedBloomWeights merged = adapter.Merge(kept);
        float[] own = Row(merged.Weights.Blocks[0].Dense.Weight, 0);
        model.Dispose();
        CollectionAssert.AreEqual(own, Row(merged.Weights.Blocks[0].Dense.Weight, 0));
        Assert.ThrowsExactly<ObjectDisposedException>(() => Row(merged.Weights.Blocks[1].Dense.Weight, 0));
        Assert.ThrowsExactly<ObjectDisposedException>(() => new Float32BloomEncoder(merged.Weights));
        Assert.ThrowsExactly<ObjectDisposedException>(() => adapter.Merge(kept));
        merged.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Row(merged.Weights.Blocks[0].Dense.Weight, 0));
    }

    private static LacosModel Mapped(TemporaryFolder folder, QuantizationScheme scheme)
    {
        using (LacosModel model = LacosModel.Load(TinyModel.OfLetters().WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = scheme, BlockSize = 24, EmbeddingScheme = scheme }))
        {
            model.Save(folder.File("a.lacos"));
        }
        return LacosModel.Load(folder.File("a.lacos"));
    }

    private static WeightMatrix[] Matrices(BloomWeights weights) => [weights.WordEmbeddings, .. weights.Blocks.SelectMany(block => block.Linears).Select(linear => linear.Weight)];

    private static float[] Row(WeightMatrix matrix, int row)
    {
        var values = new float[matrix.Columns];
        matrix.DequantizeRow(row, values);
        return values;
    }

    private static float[] Encode(IBloomEncoder encoder, int[] ids, int[] offsets)
    {
        var vectors = new float[(offsets.Length - 1) * TinyModel.Hidden];
        encoder.Encode(ids, offsets, [], new PoolingOptions(PoolingModes.Mean), vectors);
        return vectors;
    }

    // Where the system tells: nothing stays mapped that nobody reads, and nothing goes that somebody does.
    private static void AssertMapped(TemporaryFolder folder, bool isMapped)
    {
        if (OperatingSystem.IsLinux())
        {
            Assert.AreEqual(isMapped, File.ReadLines("/proc/self/maps").Any(line => line.Contains(folder.File("a.lacos"), StringComparison.Ordinal)));
        }
    }
}
