using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

/// <summary>What texts share is computed once; no vector shows it.</summary>
[TestClass]
public sealed class SharedTokensTests
{
    private const string Prompt = "Represent this question for retrieval: ";

    private static readonly LacosModel Model = LacosModel.LoadDefault();

    [ClassCleanup]
    public static void Cleanup() => Model.Dispose();

    [TestMethod]
    [DataRow(BloomCompute.Int8, 0f)]
    [DataRow(BloomCompute.Int8, 3f)]
    [DataRow(BloomCompute.Int8WeightOnly, 0f)]
    public void TextsBehindAPromptHaveTheVectorsOfThePromptedTextsAlone(BloomCompute compute, float outlierThreshold)
    {
        string[] texts = [.. Questions(), "", " ", Questions()[0], "Represent this", "日本の首都はどこですか。", "s", "?"];
        using SentenceEncoder prompted = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Compute = compute, OutlierThreshold = outlierThreshold, Prompt = Prompt });
        using SentenceEncoder plain = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Compute = compute, OutlierThreshold = outlierThreshold });
        foreach (SentenceEncoder encoder in new[] { prompted, plain })
        {
            string before = encoder == prompted ? "" : Prompt;
            var vectors = new float[texts.Length * encoder.Dimension];
            encoder.Encode([.. texts.Select(text => before + text)], vectors, []);
            for (int i = 0; i < texts.Length; i++)
            {
                CollectionAssert.AreEqual(plain.Encode(Prompt + texts[i]), vectors.AsSpan(i * encoder.Dimension, encoder.Dimension).ToArray(), texts[i]);
                CollectionAssert.AreEqual(plain.Encode(Prompt + texts[i]), encoder.Encode(before + texts[i]), texts[i]);
            }
        }
    }

    [TestMethod]
    public void AnUnpooledPromptIsLeftOutAllTheSame()
    {
        string[] texts = Questions();
        using LacosModel unpooled = Model.With(Model.Settings with { IncludePrompt = false });
        using SentenceEncoder encoder = SentenceEncoder.Create(unpooled, new SentenceEncoderOptions { Prompt = Prompt });
        using SentenceEncoder pooled = SentenceEncoder.Create(Model, new SentenceEncoderOptions { Prompt = Prompt });
        var vectors = new float[texts.Length * encoder.Dimension];
        encoder.Encode(texts, vectors, []);
        for (int i = 0; i < texts.Length; i++)
        {
            float[] alone = encoder.Encode(texts[i]);
            CollectionAssert.AreEqual(alone, vectors.AsSpan(i * encoder.Dimension, encoder.Dimension).ToArray(), texts[i]);
            CollectionAssert.AreNotEqual(alone, pooled.Encode(texts[i]), texts[i]);
        }
    }

    // The last token of the prompt becomes another one with what follows.
    [TestMethod]
    public void APromptMayEndWithinAWord()
    {
        using SentenceEncoder plain = SentenceEncoder.Create(Model), prompted = plain.WithPrompt("The wea");
        foreach (string text in new[] { "ther", "ther is fine", "lth of nations", " ther", "" })
        {
            CollectionAssert.AreEqual(plain.Encode("The wea" + text), prompted.Encode(text), text);
        }
    }

    [TestMethod]
    public void FirstCallsAtTheSameTimeAgree()
    {
        string[] texts = Questions();
        using SentenceEncoder plain = SentenceEncoder.Create(Model);
        float[][] expected = [.. texts.Select(text => plain.Encode(Prompt + text))];
        for (int round = 0; round < 5; round++)
        {
            using SentenceEncoder encoder = plain.WithPrompt(Prompt);
            Parallel.For(0, 4 * texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, call => CollectionAssert.AreEqual(expected[call % texts.Length], encoder.Encode(texts[call % texts.Length])));
        }
    }

    private static string[] Questions() =>
    [
        .. from start in new[] { "How do I", "How do you", "How does one", "Wie kann ich", "Wie kann man" }
           from end in new[] { "open an account?", "open an account today?", "open a window", "cancel", "cancel my card?" }
           select $"{start} {end}",
    ];
}
