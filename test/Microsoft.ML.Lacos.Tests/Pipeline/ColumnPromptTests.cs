using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>Queries and documents of one pipeline have prompts of their own over the same weights.</summary>
[TestClass]
public sealed class ColumnPromptTests
{
    private static readonly MLContext s_context = new(1);
    private static readonly IDataView s_data = s_context.Data.LoadFromEnumerable(TextRow.Make(12));

    [TestMethod]
    public void EachColumnHasTheVectorsOfAnEncoderWithItsPrompt()
    {
        using SentenceEmbeddingTransformer transformer = Fit(Asking());
        using SentenceEncoder query = Encoder("query: "), passage = Encoder("passage: "), general = Encoder("general: ");
        IDataView vectors = transformer.Transform(s_data);
        string[] texts = [.. s_data.GetColumn<string>("Text")];
        foreach ((string column, SentenceEncoder encoder) in (ReadOnlySpan<(string, SentenceEncoder)>)[("Query", query), ("Passage", passage), ("General", general)])
        {
            AssertSameBits(texts.Select(text => encoder.Encode(text)), vectors.GetColumn<float[]>(column), column);
        }

        // Once more, out of the memory of vectors, and alone.
        AssertSameBits(texts.Select(text => passage.Encode(text)), transformer.Transform(s_data).GetColumn<float[]>("Passage"), "remembered");
    }

    [TestMethod]
    public void APredictionEngineGivesTheSameVectors()
    {
        using SentenceEmbeddingTransformer transformer = Fit(Asking());
        using PredictionEngine<TextRow, Vectors> engine = s_context.Model.CreatePredictionEngine<TextRow, Vectors>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        TextRow row = TextRow.Make(1).First();
        Vectors predicted = engine.Predict(row);
        IDataView vectors = transformer.Transform(s_context.Data.LoadFromEnumerable([row]));
        CollectionAssert.AreEqual(vectors.GetColumn<float[]>("Query").Single(), predicted.Query);
        CollectionAssert.AreEqual(vectors.GetColumn<float[]>("Passage").Single(), predicted.Passage);
        CollectionAssert.AreNotEqual(predicted.Query, predicted.Passage);
    }

    [TestMethod]
    public void ColumnsReadTogetherHaveTheVectorsOfEachReadAlone()
    {
        using SentenceEmbeddingTransformer transformer = Fit(Asking());
        Vectors[] together = [.. s_context.Data.CreateEnumerable<Vectors>(transformer.Transform(s_data), reuseRowObject: false)];
        using SentenceEmbeddingTransformer another = Fit(Asking());
        IDataView alone = another.Transform(s_data);
        AssertSameBits(alone.GetColumn<float[]>("Query"), together.Select(row => row.Query), "Query");
        AssertSameBits(alone.GetColumn<float[]>("Passage"), together.Select(row => row.Passage), "Passage");
    }

    [TestMethod]
    public void TokenCountsIncludeTheColumnsOwnPrompt()
    {
        SentenceEmbeddingEstimator.Options options = new() { Columns = [new("A", "Text", "CountA", prompt: ""), new("B", "Text", "CountB", prompt: "one two three four: ")] };
        using SentenceEmbeddingTransformer transformer = Fit(options);
        IDataView counted = transformer.Transform(s_data);
        int[] withPrompt = [.. counted.GetColumn<int>("CountB")], without = [.. counted.GetColumn<int>("CountA")];
        Assert.IsTrue(withPrompt.Zip(without).All(pair => pair.First > pair.Second));
    }

    [TestMethod]
    public void PromptsOfColumnsAreSavedAsTheirTexts()
    {
        using var folder = new TemporaryFolder();
        SentenceEmbeddingEstimator.Options options = Asking();
        options.Model = NamedPrompts(folder);
        options.Columns = [new("Query", "Text", promptName: "query"), new("Passage", "Text", prompt: "passage: "), new("General", "Text")];
        using SentenceEmbeddingTransformer transformer = Fit(options);
        s_context.Model.Save(transformer, s_data.Schema, folder.File("model.zip"));
        using var loaded = (SentenceEmbeddingTransformer)s_context.Model.Load(folder.File("model.zip"), out _);
        Assert.AreEqual("query: ", loaded.Columns[0].Prompt);
        Assert.IsNull(loaded.Columns[0].PromptName);
        Assert.IsNull(loaded.Columns[2].Prompt);
        foreach (string column in (ReadOnlySpan<string>)["Query", "Passage", "General"])
        {
            AssertSameBits(transformer.Transform(s_data).GetColumn<float[]>(column), loaded.Transform(s_data).GetColumn<float[]>(column), column);
        }
    }

    [TestMethod]
    public void AColumnMayHaveTheModelsPromptByName()
    {
        using var folder = new TemporaryFolder();
        string model = NamedPrompts(folder);
        using SentenceEmbeddingTransformer named = Fit(new() { Model = model, Columns = [new("F", "Text", promptName: "query")] });
        using SentenceEncoder query = Encoder("query: ");
        AssertSameBits(s_data.GetColumn<string>("Text").Select(text => query.Encode(text)), named.Transform(s_data).GetColumn<float[]>("F"), "named");
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => Fit(new() { Model = model, Columns = [new("F", "Text", promptName: "question")] }));
        Assert.Contains("'question'; the model's prompts are: query", error.Message);
    }

    [TestMethod]
    public void GeneratorsTakeThePromptOfTheColumnsOrThatOfTheOptions()
    {
        using SentenceEmbeddingTransformer transformer = Fit(Asking());
        using SentenceEmbeddingTransformer queries = transformer.ForColumn(new SentenceEmbeddingEstimator.ColumnOptions("F", "Text", prompt: "query: "));
        using IEmbeddingGenerator<string, Embedding<float>> ofColumns = queries.AsEmbeddingGenerator(), ofOptions = transformer.AsEmbeddingGenerator();
        using SentenceEncoder query = Encoder("query: "), general = Encoder("general: ");
        const string Text = "Where is the station?";
        CollectionAssert.AreEqual(query.Encode(Text), ofColumns.GenerateAsync([Text]).Result[0].Vector.ToArray());
        CollectionAssert.AreEqual(general.Encode(Text), ofOptions.GenerateAsync([Text]).Result[0].Vector.ToArray());
    }

    [TestMethod]
    public void ATextTooLongBehindOnePromptIsAnErrorOfThatColumnAlone()
    {
        using SentenceEncoder counting = Encoder("");
        const string Text = "a b c d e";
        int[] count = [0];
        counting.Encode([Text], new float[counting.Dimension], count);
        SentenceEmbeddingEstimator.Options options = new()
        {
            Columns = [new("Short", "Text", prompt: ""), new("Long", "Text", "Count", prompt: "q: ")],
            MaximumTokenCount = count[0],
            LongText = LongText.Throw,
        };
        using SentenceEmbeddingTransformer transformer = Fit(options);
        IDataView vectors = transformer.Transform(s_context.Data.LoadFromEnumerable([new TextRow { Text = Text }]));
        CollectionAssert.AreEqual(counting.Encode(Text), vectors.GetColumn<float[]>("Short").Single());
        Assert.IsGreaterThan(count[0], vectors.GetColumn<int>("Count").Single());
        Assert.Throws<ArgumentException>(() => vectors.GetColumn<float[]>("Long").ToArray());
    }

    [TestMethod]
    public void PromptsThatNobodyHasInUseAnyMoreAreKeptUpToANumber()
    {
        using SentenceEmbeddingTransformer transformer = Fit(new() { Columns = [new("F", "Text")] });
        var vectors = new List<TextVectors>();
        for (int i = 0; i <= PromptPool.MostIdle; i++)
        {
            using SentenceEmbeddingTransformer asking = WithPrompt(i);
            var view = (EmbeddingView)asking.Transform(s_data);
            vectors.Add(view.Context.Vectors);
            view.Context.Dispose();
        }
        using SentenceEmbeddingTransformer second = WithPrompt(1);
        WithPrompt(PromptPool.MostIdle + 1).Dispose();
        WithPrompt(PromptPool.MostIdle + 2).Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Encode(vectors[0]), "the first was the longest without a user");
        Assert.ThrowsExactly<ObjectDisposedException>(() => Encode(vectors[2]), "the next was in use");
        float[] kept = Encode(vectors[1]);
        CollectionAssert.AreEqual(Encode(vectors[1]), second.Transform(s_data).GetColumn<float[]>("F").First());
        using SentenceEmbeddingTransformer again = WithPrompt(0);
        using SentenceEncoder encoder = Encoder("question 0: ");
        AssertSameBits(s_data.GetColumn<string>("Text").Select(text => encoder.Encode(text)), again.Transform(s_data).GetColumn<float[]>("F"), "again");
        CollectionAssert.AreNotEqual(kept, again.Transform(s_data).GetColumn<float[]>("F").First());

        SentenceEmbeddingTransformer WithPrompt(int number) => transformer.ForColumn(new SentenceEmbeddingEstimator.ColumnOptions("F", "Text", prompt: $"question {number}: "));

        static float[] Encode(TextVectors vectors)
        {
            EncodedText?[] results = [null];
            vectors.Encode([s_data.GetColumn<string>("Text").First()], results, CancellationToken.None);
            return results[0]!.Vector;
        }
    }

    [TestMethod]
    public void APromptThatLeavesNoRoomOrIsGivenTwiceIsRefused()
    {
        SentenceEmbeddingEstimator.Options options = new() { Columns = [new("F", "Text", prompt: "a b c d e f g")], MaximumTokenCount = 3 };
        Assert.Contains("prompt", Assert.ThrowsExactly<ArgumentException>(() => Fit(options)).Message);
        ArgumentException both = Assert.ThrowsExactly<ArgumentException>(() => new SentenceEmbeddingEstimator.ColumnOptions("F", "Text", prompt: "", promptName: "query"));
        Assert.Contains("PromptName is 'query' and Prompt is ''", both.Message);
    }

    private static SentenceEmbeddingEstimator.Options Asking() => new()
    {
        Columns = [new("Query", "Text", prompt: "query: "), new("Passage", "Text", prompt: "passage: "), new("General", "Text")],
        Prompt = "general: ",
    };

    private static SentenceEmbeddingTransformer Fit(SentenceEmbeddingEstimator.Options options) => s_context.Transforms.Text.ApplySentenceEmbedding(options).Fit(s_data);

    private static SentenceEncoder Encoder(string prompt)
    {
        using LacosModel model = LacosModel.LoadDefault();
        return SentenceEncoder.Create(model, new SentenceEncoderOptions { Prompt = prompt });
    }

    private static string NamedPrompts(TemporaryFolder folder)
    {
        using LacosModel standard = LacosModel.LoadDefault();
        using LacosModel asking = standard.With(standard.Settings with { Prompts = new Dictionary<string, string> { ["query"] = "query: " } });
        asking.Save(folder.File("asking.lacos"));
        return folder.File("asking.lacos");
    }

    private static void AssertSameBits(IEnumerable<float[]> expected, IEnumerable<float[]> actual, string what) =>
        CollectionAssert.AreEqual(expected.SelectMany(vector => vector).ToArray(), actual.SelectMany(vector => vector).ToArray(), what);

    private sealed class Vectors
    {
        public float[] Query { get; set; } = [];

        public float[] Passage { get; set; } = [];
    }
}
