using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

/// <summary>Texts in, vectors out, against sentence-transformers on the same folders.</summary>
[TestClass]
[TestCategory("Golden")]
public sealed class SentenceTransformersGoldenTests
{
    [TestMethod]
    public void VectorsPointWhereTheReferencePoints()
    {
        string[] folders = Directory.GetDirectories(TestData.Golden("sentence_transformers"));
        Assert.AreNotEqual(0, folders.Length);
        foreach (string folder in folders)
        {
            using var whole = new TemporaryFolder();
            ModelFolderGoldenTests.Complete(folder, whole.Path);
            using LacosModel model = LacosModel.Load(whole.Path, new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
            CompareAll(model, folder);
        }
    }

    /// <summary>Compares a model with what the reference computed for a folder.</summary>
    internal static void CompareAll(LacosModel model, string folder)
    {
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
        string[] sentences = [.. expected.RootElement.GetProperty("sentences").EnumerateArray().Select(sentence => sentence.GetString()!)];
        if (expected.RootElement.TryGetProperty("embeddings", out JsonElement embeddings))
        {
            Compare(model, null, sentences, embeddings);
            return;
        }
        foreach (JsonProperty prompt in expected.RootElement.GetProperty("embeddings_by_prompt").EnumerateObject())
        {
            string? text = prompt.Name == "(none)" ? "" : prompt.Name == model.Settings.DefaultPromptName ? null : model.Settings.Prompts[prompt.Name];
            Compare(model, text, sentences, prompt.Value);
        }
    }

    private static void Compare(LacosModel model, string? prompt, string[] sentences, JsonElement embeddings)
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { Compute = BloomCompute.Float32, Prompt = prompt });
        var together = new float[sentences.Length * encoder.Dimension];
        encoder.Encode(sentences, together, []);
        for (int i = 0; i < sentences.Length; i++)
        {
            float[] alone = encoder.Encode(sentences[i]);
            CollectionAssert.AreEqual(alone, together[(i * encoder.Dimension)..((i + 1) * encoder.Dimension)], $"'{sentences[i]}' differs alone and in a batch");
            if (embeddings[i].ValueKind == JsonValueKind.Null)
            {
                // The reference raises on a text without tokens; here it is a zero vector.
                Assert.IsTrue(alone.All(value => value == 0), $"'{sentences[i]}' should give a zero vector");
                continue;
            }
            double[] expected = [.. embeddings[i].EnumerateArray().Select(value => value.GetDouble())];
            Assert.AreEqual(expected.Length, alone.Length);
            double cosine = expected.Zip(alone, (x, y) => x * y).Sum() / Math.Sqrt(expected.Sum(x => x * x) * alone.Sum(y => (double)y * y));
            Assert.IsGreaterThanOrEqualTo(0.99999, cosine, $"'{sentences[i]}'");
            double norm = Math.Sqrt(expected.Sum(x => x * x));
            Assert.AreEqual(norm, Math.Sqrt(alone.Sum(y => (double)y * y)), 1e-3 * norm, $"length of '{sentences[i]}'");
        }
    }
}
