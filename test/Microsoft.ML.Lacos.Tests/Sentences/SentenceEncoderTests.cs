using System.Collections;
using System.Diagnostics;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class SentenceEncoderTests
{
    private static readonly string[] Texts =
    [
        "A man is playing a guitar.", "Un homme joue de la guitare.", "", "   ", "x", "एक आदमी गिटार बजा रहा है।", "一个男人在弹吉他。",
        "The quick brown fox\njumps over\tthe lazy dog 🦊!", string.Join(' ', Enumerable.Repeat("words and more words", 90)), "\ud800 lone surrogate \udc00",
    ];

    private static readonly LacosModel Model = LacosModel.LoadDefault();

    [TestMethod]
    [DataRow(BloomCompute.Int8, 1, 64)]
    [DataRow(BloomCompute.Int8, 2, 4096)]
    [DataRow(BloomCompute.Int8, 16, 0)]
    [DataRow(BloomCompute.Int8WeightOnly, 2, 300)]
    public void VectorIsTheSameBitsAloneInAnyBatchOrderAndThreadCount(BloomCompute compute, int threads, int batchTokens)
    {
        using SentenceEncoder one = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Compute = compute, ThreadCount = 1 });
        using SentenceEncoder other = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Compute = compute, ThreadCount = threads, BatchTokens = batchTokens });
        string[] many = [.. Enumerable.Range(0, 9).SelectMany(round => Texts.Select((_, i) => Texts[(i + round) % Texts.Length]))];
        float[] together = EncodeAll(other, many);
        var alone = Texts.ToDictionary(text => text, one.Encode);
        for (int i = 0; i < many.Length; i++)
        {
            CollectionAssert.AreEqual(alone[many[i]], together[(i * 384)..((i + 1) * 384)], $"row {i}: '{many[i]}'");
        }
    }

    [TestMethod]
    public void ASpecialTokenAtTheEndOfAnUnpooledPromptIsPooled()
    {
        using var folder = new TemporaryFolder();
        Hub.TinyModel tiny = Hub.TinyModel.OfLetters();
        tiny.Files["tokenizer.json"] = tiny.Files["tokenizer.json"].Replace("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":11,\"content\":\"l\",\"special\":true}]", StringComparison.Ordinal);
        using LacosModel loaded = LacosModel.Load(tiny.WriteTo(folder.Path));
        using LacosModel model = loaded.With(new SentenceSettings { IncludePrompt = false });
        using SentenceEncoder special = SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = "abl" });
        using SentenceEncoder plain = SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = "ab" });
        CollectionAssert.AreEqual(plain.Encode("lcd"), special.Encode("cd"));
        using SentenceEncoder inside = SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = "alb" });
        CollectionAssert.AreNotEqual(plain.Encode("lcd"), inside.Encode("cd"));
    }

    [TestMethod]
    public void AFileOfFloatsRunsInFloatsWithoutBeingAsked()
    {
        using var folder = new TemporaryFolder();
        using LacosModel floats = LacosModel.Open(Hub.TinyModel.OfLetters().WriteTo(folder.File("model")), BloomCompute.Float32);
        floats.Save(folder.File("floats.lacos"));
        using LacosModel file = LacosModel.Load(folder.File("floats.lacos"));
        using SentenceEncoder byDefault = SentenceEncoder.Create(file);
        using SentenceEncoder asked = SentenceEncoder.Create(file, new SentenceEncoderOptions { Compute = BloomCompute.Float32 });
        CollectionAssert.AreEqual(asked.Encode("abl"), byDefault.Encode("abl"));
        using LacosModel codes = LacosModel.Load(folder.File("model"));
        using SentenceEncoder quantised = SentenceEncoder.Create(codes);
        CollectionAssert.AreNotEqual(quantised.Encode("abl"), byDefault.Encode("abl"));
    }

    [TestMethod]
    [DataRow(BloomCompute.Int8)]
    [DataRow(BloomCompute.Float32)]
    public void DisposingLetsRunningCallsEndAndBeginsNoMore(BloomCompute compute)
    {
        // A mapped file: its memory is gone once the model is released, unlike that of the embedded model.
        using var folder = new TemporaryFolder();
        Model.Save(folder.File("model.lacos"));
        string[] many = [.. Enumerable.Range(0, 3000).Select(i => $"text {i} of many")];
        var expected = new float[many.Length * 384];
        using (SentenceEncoder whole = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Compute = compute }))
        {
            whole.Encode(many, expected, []);
        }
        SentenceEncoder encoder;
        using (LacosModel mapped = LacosModel.Load(folder.File("model.lacos")))
        {
            encoder = SentenceEncoder.Create(mapped, new SentenceEncoderOptions { Compute = compute });
        }
        var vectors = new float[expected.Length];
        using var begun = new ManualResetEventSlim();
        Task running = Task.Run(() =>
        {
            begun.Set();
            encoder.Encode(many, vectors, []);
        });
        begun.Wait();

        // Long enough for the call to be within the model, and a small part of the time it takes.
        Thread.Sleep(100);
        encoder.Dispose();
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Encode("more"));
        running.Wait();
        CollectionAssert.AreEqual(expected, vectors);
    }

    [TestMethod]
    public void TextWithoutTokensGivesZeros()
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model);
        Assert.IsTrue(encoder.Encode("").All(value => value == 0));
        Assert.IsTrue(encoder.Encode(null).All(value => value == 0));
        Assert.IsFalse(encoder.Encode(" ").All(value => value == 0));
    }

    [TestMethod]
    public void TruncatedTextIsTheVectorOfItsFirstTokensAndIsCounted()
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { MaximumTokenCount = 5 });
        var vectors = new float[2 * 384];
        var counts = new int[2];
        int longTexts = encoder.Encode(["one two three four five six seven eight nine ten", "one"], vectors, counts);
        Assert.AreEqual(1, longTexts);
        Assert.AreEqual(Lacos.Tokenization.BloomTokenizer.FromJson(Model.TokenizerJson.Span).EncodeToIds("one two three four five six seven eight nine ten").Count, counts[0]);
        Assert.IsGreaterThan(5, counts[0]);
        Assert.IsLessThanOrEqualTo(5, counts[1]);
        using SentenceEncoder unlimited = SentenceEncoder.Create(Model);
        Assert.AreNotEqual(unlimited.Encode("one two three four five six seven eight nine ten")[0], vectors[0]);
    }

    [TestMethod]
    public void WindowsAreMeanedByTheirTokenCounts()
    {
        const int Limit = 8;
        string text = "The river rises in the mountains and flows through three countries before it reaches the sea near a small town.";
        var options = new SentenceEncoderOptions { MaximumTokenCount = Limit, LongText = LongText.Window, Normalize = false };
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, options);
        using IBloomEncoder bloom = BloomEncoders.Create(Model.Weights, BloomCompute.Int8, 0, 1);
        int[] ids = [.. Lacos.Tokenization.BloomTokenizer.FromJson(Model.TokenizerJson.Span).EncodeToIds(text)];
        Assert.IsGreaterThan(2 * Limit, ids.Length);
        var expected = new double[384];
        foreach (int[] window in ids.Chunk(Limit))
        {
            var vector = new float[384];
            bloom.Encode(window, [0, window.Length], [], new PoolingOptions(PoolingModes.Mean), vector);
            for (int d = 0; d < 384; d++)
            {
                expected[d] += (double)vector[d] * window.Length / ids.Length;
            }
        }
        float[] actual = encoder.Encode(text);
        for (int d = 0; d < 384; d++)
        {
            Assert.AreEqual(expected[d], actual[d], 1e-5);
        }
        using SentenceEncoder normalized = SentenceEncoder.Create(Model, options with { Normalize = true });
        Assert.AreEqual(1, normalized.Encode(text).Sum(x => (double)x * x), 1e-5);
    }

    [TestMethod]
    public void TooLongTextThrowsWithItsBeginningWhenAskedTo()
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { MaximumTokenCount = 3, LongText = LongText.Throw });
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => EncodeAll(encoder, ["short", "a good deal longer than three tokens"]));
        StringAssert.Contains(error.Message, "a good deal longer");
        StringAssert.Contains(error.Message, "3 tokens");
    }

    [TestMethod]
    public void DimensionIsCutBeforeNormalising()
    {
        using SentenceEncoder whole = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Normalize = false });
        using SentenceEncoder cut = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Dimension = 64 });
        float[] expected = whole.Encode(Texts[0])[..64];
        double norm = Math.Sqrt(expected.Sum(x => (double)x * x));
        float[] actual = cut.Encode(Texts[0]);
        Assert.AreEqual(64, actual.Length);
        for (int d = 0; d < 64; d++)
        {
            Assert.AreEqual(expected[d] / norm, actual[d], 1e-6);
        }
    }

    [TestMethod]
    public void SeveralPoolingModesAreConcatenated()
    {
        using SentenceEncoder both = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Pooling = PoolingModes.LastToken | PoolingModes.Mean, Normalize = false });
        using SentenceEncoder mean = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Normalize = false });
        using SentenceEncoder last = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Pooling = PoolingModes.LastToken, Normalize = false });
        CollectionAssert.AreEqual(mean.Encode(Texts[0]).Concat(last.Encode(Texts[0])).ToArray(), both.Encode(Texts[0]));
    }

    [TestMethod]
    public void PromptIsPutBeforeTheText()
    {
        using SentenceEncoder plain = SentenceEncoder.Create(Model);
        using SentenceEncoder prompted = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = "query: " });
        CollectionAssert.AreEqual(plain.Encode("query: weather"), prompted.Encode("weather"));
    }

    [TestMethod]
    public void APromptMayBeGivenByItsName()
    {
        using LacosModel model = Model.With(Model.Settings with { Prompts = new Dictionary<string, string> { ["query"] = "query: ", ["none"] = "" }, DefaultPromptName = "query" });
        using SentenceEncoder plain = SentenceEncoder.Create(Model), named = SentenceEncoder.Create(model, new SentenceEncoderOptions { PromptName = "query" });
        using SentenceEncoder none = SentenceEncoder.Create(model, new SentenceEncoderOptions { PromptName = "none" });
        Assert.AreEqual("query: ", named.Prompt);
        CollectionAssert.AreEqual(plain.Encode("query: weather"), named.Encode("weather"));
        CollectionAssert.AreEqual(plain.Encode("weather"), none.Encode("weather"));
        Assert.Contains("query", Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(model, new SentenceEncoderOptions { PromptName = "other" })).Message);
        Assert.Contains("PromptName is 'query' and Prompt is ''", Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(model, new SentenceEncoderOptions { PromptName = "query", Prompt = "" })).Message);
    }

    [TestMethod]
    public void AnEncoderWithAnotherPromptSharesTheWeightsAndOutlivesTheFirst()
    {
        using SentenceEncoder plain = SentenceEncoder.Create(Model);
        SentenceEncoder first = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = "query: ", Dimension = 32, MaximumTokenCount = 40 });
        using SentenceEncoder second = first.WithPrompt("passage: ");
        using SentenceEncoder expected = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = "passage: ", Dimension = 32 });
        Assert.AreEqual("passage: ", second.Prompt);
        Assert.AreEqual("query: ", first.Prompt);
        Assert.AreEqual(first.MaximumTokenCount, second.MaximumTokenCount);
        CollectionAssert.AreEqual(expected.Encode("weather"), second.Encode("weather"));
        first.Dispose();
        CollectionAssert.AreEqual(expected.Encode("weather"), second.Encode("weather"));
        Assert.ThrowsExactly<ObjectDisposedException>(() => first.WithPrompt(""));
        Assert.ThrowsExactly<ArgumentException>(() => plain.WithPrompt("", "query"));
        Assert.ThrowsExactly<ArgumentException>(() => plain.WithPrompt(string.Concat(Enumerable.Repeat("word ", 300))));
    }

    [TestMethod]
    public void APromptLeavesRoomForATokenAtLeast()
    {
        const string Prompt = "query: ";
        int tokens = Microsoft.ML.Lacos.Tokenization.BloomTokenizer.FromJson(Model.TokenizerJson.Span).EncodeToIds(Prompt).Count;
        Assert.Contains($"has {tokens} tokens and the limit of a text is {tokens}", Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = Prompt, MaximumTokenCount = tokens })).Message);
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = Prompt, MaximumTokenCount = tokens + 1 });
        Assert.HasCount(encoder.Dimension, encoder.Encode("weather"));
    }

    [TestMethod]
    public void TenMegabytesWithoutASpaceAreCutBeforeTheyCostTime()
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model);
        string text = new('a', 10_000_000);
        var clock = Stopwatch.StartNew();
        float[] vector = encoder.Encode(text);
        Assert.IsLessThan(20, clock.Elapsed.TotalSeconds, "A hang, not a slow machine: the work is that of 256 tokens.");
        Assert.IsTrue(vector.Any(value => value != 0));
    }

    [TestMethod]
    public void AModelThatIsDisposedWhileAnEncoderIsMadeOfItLastsAsLongAsTheEncoder()
    {
        bool isReleased = false;
        LacosModel? model = null;
        var blocks = new WatchedBlocks(Model.Weights.Blocks, () => model!.Dispose());
        model = new LacosModel(Model.Weights with { Blocks = blocks }, Model.TokenizerJson.ToArray(), Model.Settings, Model.Provenance, new Release(() => isReleased = true));
        using SentenceEncoder encoder = SentenceEncoder.Create(model), other = SentenceEncoder.Create(Model);
        Assert.IsTrue(model.IsDisposed);
        Assert.IsFalse(isReleased);
        CollectionAssert.AreEqual(other.Encode("x"), encoder.Encode("x"));
        encoder.Dispose();
        Assert.IsTrue(isReleased);
    }

    [TestMethod]
    public void OptionsThatDoNotFitAreRefusedByName()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { Dimension = 385 })).Message, "384");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { BatchTokens = -1 })).Message, "BatchTokens");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { Pooling = PoolingModes.None })).Message, "Pooling");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { OutlierThreshold = 6, Compute = BloomCompute.Int8WeightOnly })).Message, "OutlierThreshold");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = "a b c d e f g", MaximumTokenCount = 2 })).Message, "prompt");
    }

    [TestMethod]
    public void AModelWhosePromptLeavesNoRoomIsNamedAndNotTheOptions()
    {
        using LacosModel model = Model.With(Model.Settings with { MaximumTokenCount = 2, Prompts = new Dictionary<string, string> { ["query"] = "a b c d e f g" }, DefaultPromptName = "query" });
        string message = Assert.ThrowsExactly<InvalidDataException>(() => SentenceEncoder.Create(model)).Message;
        StringAssert.Contains(message, "the model's own settings the prompt 'query'");
        Assert.ThrowsExactly<ArgumentException>(() => SentenceEncoder.Create(model, new SentenceEncoderOptions { MaximumTokenCount = 3 }));
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = "" });
        Assert.AreEqual(2, encoder.MaximumTokenCount);
    }

    [TestMethod]
    public void CancelledEncodingStops()
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => encoder.Encode(Texts, new float[Texts.Length * 384], [], cancelled.Token));
    }

    private static float[] EncodeAll(SentenceEncoder encoder, string[] texts)
    {
        var vectors = new float[texts.Length * encoder.Dimension];
        encoder.Encode(texts, vectors, []);
        return vectors;
    }

    private sealed class WatchedBlocks(IReadOnlyList<BloomBlockWeights> blocks, Action read) : IReadOnlyList<BloomBlockWeights>
    {
        public int Count => blocks.Count;

        public BloomBlockWeights this[int index]
        {
            get
            {
                read();
                return blocks[index];
            }
        }

        public IEnumerator<BloomBlockWeights> GetEnumerator() => Enumerable.Range(0, Count).Select(index => this[index]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Release(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
