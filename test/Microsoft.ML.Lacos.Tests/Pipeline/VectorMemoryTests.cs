using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class VectorMemoryTests
{
    private readonly MLContext _context = new(1);

    [TestMethod]
    public void KMeansOverAnUncachedViewEncodesEachTextOnce()
    {
        var encoder = new FakeEncoder();
        IDataView data = _context.Data.LoadFromEnumerable(TextRow.Make(5000));
        _context.Clustering.Trainers.KMeans("Features", numberOfClusters: 5).Fit(encoder.Fit(_context, data).Transform(data));
        Assert.AreEqual(5000, encoder.Texts);
    }

    [TestMethod]
    public void WithoutMemoryEveryPassEncodes()
    {
        var encoder = new FakeEncoder();
        IDataView data = _context.Data.LoadFromEnumerable(TextRow.Make(50));
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.CacheBytes = 0;
        IDataView view = encoder.Fit(_context, data, options).Transform(data);
        _ = view.GetColumn<float[]>("Features").Count();
        _ = view.GetColumn<float[]>("Features").Count();
        Assert.AreEqual(100, encoder.Texts);
    }

    [TestMethod]
    public void ViewsRowsColumnsAndGeneratorsShareOneMemory()
    {
        var encoder = new FakeEncoder();
        TextRow[] rows = TextRow.Make(30);
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        SentenceEmbeddingTransformer transformer = encoder.Fit(_context, data);
        _ = transformer.Transform(data).GetColumn<float[]>("Features").Count();
        _ = transformer.Transform(data).GetColumn<float[]>("Features").Count();
        _ = transformer.ForColumn("More", "Text").Transform(data).GetColumn<float[]>("More").Count();
        transformer.AsEmbeddingGenerator().GenerateAsync(rows.Select(row => row.Text)).GetAwaiter().GetResult();
        using var engine = _context.Model.CreatePredictionEngine<TextRow, EmbeddedRow>(transformer);
        engine.Predict(rows[3]);
        Assert.AreEqual(30, encoder.Texts);
    }

    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    [DataRow(10_000L)]
    [DataRow(3_000_000L)]
    public void BytesStayWithinTheBudget(long budget)
    {
        var memory = new VectorMemory(budget);
        var random = new Random(3);
        for (int i = 0; i < 20_000; i++)
        {
            memory.Remember(0, new string('x', random.Next(200)) + i, new EncodedText(new float[random.Next(1, 64)], 1));
            if (i % 97 == 0)
            {
                Assert.IsLessThanOrEqualTo(budget, memory.Bytes);
            }
        }
        Assert.IsLessThanOrEqualTo(budget, memory.Bytes);
        Assert.IsTrue(budget < 10_000 ? memory.Count == 0 : memory.Bytes > budget / 2, $"{memory.Count} entries of {memory.Bytes} bytes");
    }

    [TestMethod]
    public void OneHugeTextDoesNotPushOutTheOthers()
    {
        // One shard; texts of more than a quarter of it are not kept.
        var memory = new VectorMemory(100_000);
        for (int i = 0; i < 50; i++)
        {
            memory.Remember(0, $"text {i}", new EncodedText(new float[16], 1));
        }
        string quarter = new('q', (25_000 - 160 - 64) / 2), huge = quarter + "q";
        memory.Remember(0, huge, new EncodedText(new float[16], 1));
        memory.Remember(0, new string('h', 49_000), new EncodedText(new float[16], 1));
        Assert.AreEqual(50, memory.Count);
        Assert.IsNull(memory.Find(0, huge));
        memory.Remember(0, quarter, new EncodedText(new float[16], 1));
        Assert.IsNotNull(memory.Find(0, quarter));
    }

    [TestMethod]
    public void WhatIsFoundIsWhatWasRemembered()
    {
        var memory = new VectorMemory(100_000);
        for (int i = 0; i < 5_000; i++)
        {
            memory.Remember(0, $"text {i}", new EncodedText([i], i));
        }
        int found = 0;
        for (int i = 0; i < 5_000; i++)
        {
            if (memory.Find(0, $"text {i}") is EncodedText encoded)
            {
                Assert.AreEqual(i, encoded.TokenCount);
                Assert.AreEqual(i, encoded.Vector[0]);
                found++;
            }
        }
        Assert.AreEqual(memory.Count, found);
        Assert.IsNull(memory.Find(0, "text 5000"));
    }

    [TestMethod]
    public void RepeatedPassesOverMoreTextsThanFitStillFindSome()
    {
        long cost = VectorMemory.CostOf("text 0000", new EncodedText(new float[8], 1));
        var memory = new VectorMemory(500 * cost);
        int found = 0;
        for (int pass = 0; pass < 10; pass++)
        {
            for (int i = 0; i < 1000; i++)
            {
                string text = $"text {i:D4}";
                if (memory.Find(0, text) is not null)
                {
                    found++;
                }
                else
                {
                    memory.Remember(0, text, new EncodedText(new float[8], 1));
                }
            }
        }
        Assert.IsGreaterThan(1000, found);
    }

    [TestMethod]
    public void ManyThreadsMayUseItAtOnce()
    {
        var memory = new VectorMemory(1_000_000);
        Parallel.For(0, 8, thread =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                int number = (i * 31 + thread) % 9_000;
                if (memory.Find(0, $"{number}") is EncodedText encoded)
                {
                    Assert.AreEqual(number, encoded.TokenCount);
                }
                else
                {
                    memory.Remember(0, $"{number}", new EncodedText(new float[16], number));
                }
            }
        });
        Assert.IsLessThanOrEqualTo(1_000_000, memory.Bytes);
    }

    [TestMethod]
    public void WritingIntoAVectorReceivedDoesNotChangeTheMemory()
    {
        var encoder = new FakeEncoder();
        TextRow[] rows = TextRow.Make(5);
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        SentenceEmbeddingTransformer transformer = encoder.Fit(_context, data);
        foreach (float[] vector in transformer.Transform(data).GetColumn<float[]>("Features"))
        {
            Array.Clear(vector);
        }
        using var generator = transformer.AsEmbeddingGenerator();
        foreach (var embedding in generator.GenerateAsync(rows.Select(row => row.Text)).GetAwaiter().GetResult())
        {
            System.Runtime.InteropServices.MemoryMarshal.AsMemory(embedding.Vector).Span.Clear();
        }
        CollectionAssert.AreEqual(encoder.Vector(rows[2].Text), transformer.Transform(data).GetColumn<float[]>("Features").ElementAt(2));
        Assert.AreEqual(5, encoder.Texts);
    }
}
