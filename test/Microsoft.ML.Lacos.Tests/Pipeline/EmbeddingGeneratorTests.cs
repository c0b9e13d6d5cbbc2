using Microsoft.Extensions.AI;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class EmbeddingGeneratorTests
{
    private readonly FakeEncoder _encoder = new();
    private readonly TextRow[] _rows = TextRow.Make(70);

    [TestMethod]
    public async Task VectorsAreThoseOfTheColumn()
    {
        var context = new MLContext(1);
        IDataView data = context.Data.LoadFromEnumerable(_rows);
        using SentenceEmbeddingTransformer transformer = _encoder.Fit(context, data);
        float[][] expected = [.. transformer.Transform(data).GetColumn<float[]>("Features")];
        using IEmbeddingGenerator<string, Embedding<float>> generator = transformer.AsEmbeddingGenerator();
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(_rows.Select(row => row.Text));
        for (int i = 0; i < _rows.Length; i++)
        {
            CollectionAssert.AreEqual(expected[i], embeddings[i].Vector.ToArray());
        }
        Assert.AreEqual(_rows.Sum(row => FakeEncoder.Tokens(row.Text)), embeddings.Usage!.InputTokenCount);
    }

    [TestMethod]
    public async Task UsageCountsTheTokensOfEveryTextAlsoOfRepeatedAndRememberedOnes()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Generator();
        string[] texts = ["one two three", "one two three", "", .. _rows.Select(row => row.Text)];
        int expected = texts.Sum(FakeEncoder.Tokens);
        for (int call = 1; call <= 2; call++)
        {
            UsageDetails usage = (await generator.GenerateAsync(texts)).Usage!;
            Assert.AreEqual(expected, usage.InputTokenCount, $"call {call}");
            Assert.AreEqual(expected, usage.TotalTokenCount, $"call {call}");
            Assert.IsNull(usage.OutputTokenCount, $"call {call}");
        }
        Assert.AreEqual(texts.Distinct().Count(), _encoder.Texts, "the second call encodes nothing");
    }

    [TestMethod]
    public async Task FewerDimensionsAreTheFirstOnesNormalisedAgain()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Generator();
        ReadOnlyMemory<float> vector = await generator.GenerateVectorAsync("some text", new() { Dimensions = 4 });
        float[] full = _encoder.Vector("some text");
        double norm = Math.Sqrt(full.Take(4).Sum(value => (double)value * value));
        Assert.AreEqual(4, vector.Length);
        for (int i = 0; i < 4; i++)
        {
            Assert.AreEqual(full[i] / norm, vector.Span[i], 1e-6);
        }
        await Assert.ThrowsExactlyAsync<ArgumentOutOfRangeException>(() => generator.GenerateVectorAsync("x", new() { Dimensions = 11 }));
    }

    [TestMethod]
    public void MetadataTellsModelAndDimensions()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Generator();
        EmbeddingGeneratorMetadata metadata = generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.AreEqual("lacos", metadata.ProviderName);
        Assert.AreEqual("fake", metadata.DefaultModelId);
        Assert.AreEqual(10, metadata.DefaultModelDimensions);
        Assert.AreSame(generator, generator.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.IsNull(generator.GetService<EmbeddingGeneratorMetadata>("key"));
    }

    [TestMethod]
    public async Task ACancelledCallEndsAsCancelled()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Generator();
        using var source = new CancellationTokenSource();
        _encoder.BeforeCall = _ => source.Cancel();
        Task<GeneratedEmbeddings<Embedding<float>>> call = generator.GenerateAsync(_rows.Select(row => row.Text), cancellationToken: source.Token);
        OperationCanceledException error = await Assert.ThrowsAsync<OperationCanceledException>(() => call);
        Assert.AreEqual(source.Token, error.CancellationToken);
        Assert.IsTrue(call.IsCanceled, call.Status.ToString());
    }

    [TestMethod]
    public async Task ATransformerThatIsCancelledCancelsTheCallWithItsOwnToken()
    {
        var context = new MLContext(1);
        using var source = new CancellationTokenSource();
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.CancellationToken = source.Token;
        using SentenceEmbeddingTransformer transformer = _encoder.Fit(context, context.Data.LoadFromEnumerable(_rows), options);
        using IEmbeddingGenerator<string, Embedding<float>> generator = transformer.AsEmbeddingGenerator();
        using var callers = new CancellationTokenSource();
        source.Cancel();
        Task<GeneratedEmbeddings<Embedding<float>>> call = generator.GenerateAsync(["a"], cancellationToken: callers.Token);
        Assert.AreEqual(source.Token, (await Assert.ThrowsAsync<OperationCanceledException>(() => call)).CancellationToken);
        Assert.IsTrue(call.IsCanceled, call.Status.ToString());
    }

    [TestMethod]
    public async Task NothingGivesNothing()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Generator();
        Assert.HasCount(0, await generator.GenerateAsync([]));
    }

    private IEmbeddingGenerator<string, Embedding<float>> Generator()
    {
        var context = new MLContext(1);
        using SentenceEmbeddingTransformer transformer = _encoder.Fit(context, context.Data.LoadFromEnumerable(_rows));
        return transformer.AsEmbeddingGenerator();
    }
}
