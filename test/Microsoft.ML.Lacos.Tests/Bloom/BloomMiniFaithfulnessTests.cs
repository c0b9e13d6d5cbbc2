using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>What int8 costs on a trained model and real sentences.</summary>
[TestClass]
public sealed class BloomMiniFaithfulnessTests(TestContext context)
{
    private const int SentencesPerSet = 20;

    [TestMethod]
    public void Int8StaysAtAMeanCosineOf0999AndWeightOnlyOf09999()
    {
        string folder = TestData.Shared("models", "bloom-mini");
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        var ids = new List<int>();
        var offsets = new List<int> { 0 };
        foreach (string set in Directory.GetFiles(TestData.Shared("data", "sts"), "stsb-*-dev.tsv"))
        {
            int column = Array.IndexOf(File.ReadLines(set).First().Split('\t'), "sentence1");
            foreach (string line in File.ReadLines(set).Skip(1).Take(SentencesPerSet))
            {
                ids.AddRange(tokenizer.EncodeToIds(line.Split('\t')[column]));
                offsets.Add(ids.Count);
            }
        }
        Assert.IsGreaterThan(SentencesPerSet, offsets.Count);
        (int[], int[]) batch = ([.. ids], [.. offsets]);

        using BloomCheckpoint exact = BloomCheckpoint.Load(folder);
        using BloomCheckpoint coded = BloomCheckpoint.Load(folder, QuantizationScheme.Rowwise);
        using var oracle = new Float32BloomEncoder(exact.Weights);
        using var int8 = new ManagedBloomEncoder(coded.Weights);
        using var weightOnly = new ManagedBloomEncoder(coded.Weights, BloomCompute.Int8WeightOnly);
        float[][] wanted = oracle.Vectors(batch, EncoderCalls.Mean);
        double cosine = EncoderCalls.MeanCosine(wanted, int8.Vectors(batch, EncoderCalls.Mean));
        double weightOnlyCosine = EncoderCalls.MeanCosine(wanted, weightOnly.Vectors(batch, EncoderCalls.Mean));
        context.WriteLine($"{offsets.Count - 1} sentences, mean cosine to fp32: int8 {cosine:F6}, weight-only {weightOnlyCosine:F6}");
        Assert.IsGreaterThanOrEqualTo(0.999, cosine);
        Assert.IsGreaterThanOrEqualTo(0.9999, weightOnlyCosine);
    }
}
