using System.IO.Compression;
using System.Text.Json;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

[TestClass]
[TestCategory("Golden")]
public sealed class GoldenMetricsTests
{
    [TestMethod]
    public void EveryCorrelationOfEveryReferenceCaseAgreesTo1e9()
    {
        using Stream file = File.OpenRead(TestData.Golden("metrics", "cases.json.gz"));
        using JsonDocument cases = JsonDocument.Parse(new GZipStream(file, CompressionMode.Decompress));
        int compared = 0;
        foreach (JsonElement example in cases.RootElement.EnumerateArray())
        {
            string kind = example.GetProperty("kind").GetString()!;
            SentenceSimilarityMetrics metrics = Evaluate(example);
            Assert.AreEqual(example.GetProperty("gold").GetArrayLength(), metrics.Count, kind);
            foreach (JsonProperty similarity in example.GetProperty("expected").EnumerateObject())
            {
                foreach (JsonProperty correlation in similarity.Value.EnumerateObject())
                {
                    double actual = Value(metrics, similarity.Name, correlation.Name);
                    string name = $"{kind} {similarity.Name} {correlation.Name}";
                    if (correlation.Value.ValueKind == JsonValueKind.Null)
                    {
                        Assert.IsTrue(double.IsNaN(actual), $"{name} is undefined, got {actual}");
                    }
                    else
                    {
                        Assert.AreEqual(correlation.Value.GetDouble(), actual, 1e-9, name);
                    }
                    compared++;
                }
            }
        }
        Assert.IsGreaterThanOrEqualTo(8, compared);
    }

    private static SentenceSimilarityMetrics Evaluate(JsonElement example)
    {
        double[] gold = Doubles(example.GetProperty("gold"));
        ScoredPair<double, double>[] rows =
        [
            .. gold.Select((label, i) => new ScoredPair<double, double> { Label = label, Embedding1 = Doubles(example.GetProperty("u")[i]), Embedding2 = Doubles(example.GetProperty("v")[i]) }),
        ];
        var context = new MLContext(1);
        return context.Regression.EvaluateSentenceSimilarity(ScoredPair<double, double>.View(context, rows));
    }

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetDouble())];

    private static double Value(SentenceSimilarityMetrics metrics, string similarity, string correlation) =>
        (double)typeof(SentenceSimilarityMetrics).GetProperty(Capitalised(similarity) + Capitalised(correlation))!.GetValue(metrics)!;

    private static string Capitalised(string name) => char.ToUpperInvariant(name[0]) + name[1..];
}
