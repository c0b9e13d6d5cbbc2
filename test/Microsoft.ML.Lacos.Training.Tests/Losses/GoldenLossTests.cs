using System.Text.Json;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Losses;

[TestClass]
[TestCategory("Golden")]
public sealed class GoldenLossTests
{
    private static readonly string[] Known =
    [
        "MultipleNegativesRanking", "MultipleNegativesRanking+hard", "MultipleNegativesSymmetricRanking", "CoSENT", "AnglE", "CosineSimilarity", "Softmax", "Contrastive",
        "Matryoshka(MultipleNegativesRanking)", "MSE(distillation)",
    ];

    public static IEnumerable<string> Names => Known;

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ValueAndGradientsAreTheReferenceOnesInDoublePrecision(string name) => Compare(name, torch.ScalarType.Float64, 1e-6);

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ValueAndGradientsAreTheReferenceOnesInSinglePrecision(string name) => Compare(name, torch.ScalarType.Float32, 1e-4);

    [TestMethod]
    public void EveryReferenceCaseIsCompared()
    {
        using JsonDocument cases = Read();
        CollectionAssert.AreEquivalent(Known, cases.RootElement.EnumerateArray().Select(item => item.GetProperty("name").GetString()).ToArray());
    }

    private static void Compare(string name, torch.ScalarType type, double tolerance)
    {
        using JsonDocument cases = Read();
        JsonElement item = cases.RootElement.EnumerateArray().Single(element => element.GetProperty("name").GetString() == name);
        using DisposeScope scope = torch.NewDisposeScope();
        using SentenceLoss loss = Create(name, item);
        torch.Tensor[] embeddings = [.. item.GetProperty("embeddings").EnumerateArray().Select(matrix => Matrix(matrix).to(type).requires_grad_())];
        torch.Tensor value = loss.Forward(embeddings, Labels(loss, item));
        value.backward();
        AssertClose(item.GetProperty("loss").GetDouble(), value.to(torch.ScalarType.Float64).item<double>(), tolerance, "loss");
        JsonElement[] gradients = [.. item.GetProperty("gradients").EnumerateArray()];
        Assert.HasCount(embeddings.Length, gradients);
        for (int column = 0; column < gradients.Length; column++)
        {
            double[] expected = [.. Matrix(gradients[column]).data<double>()];
            double[] actual = [.. embeddings[column].grad!.to(torch.ScalarType.Float64).data<double>()];
            Assert.HasCount(expected.Length, actual);
            for (int i = 0; i < expected.Length; i++)
            {
                AssertClose(expected[i], actual[i], tolerance, $"gradient of column {column}, element {i}");
            }
        }
    }

    private static SentenceLoss Create(string name, JsonElement item)
    {
        switch (name)
        {
            case "MultipleNegativesRanking" or "MultipleNegativesRanking+hard":
                return new MultipleNegativesRankingLoss(Number(item, "scale"));
            case "MultipleNegativesSymmetricRanking":
                return new MultipleNegativesRankingLoss(Number(item, "scale"), bothDirections: true);
            case "CoSENT":
                return new CoSentLoss(Number(item, "scale"));
            case "AnglE":
                return new AngleLoss(Number(item, "scale"));
            case "CosineSimilarity":
                return new CosineSimilarityLoss();
            case "Contrastive":
                return new ContrastiveLoss(Number(item, "margin"));
            case "MSE(distillation)":
                return new MeanSquaredErrorLoss();
            case "Matryoshka(MultipleNegativesRanking)":
                return new MatryoshkaLoss(new MultipleNegativesRankingLoss(Number(item, "scale")), [.. Numbers(item, "dims").Select(value => (int)value)], Numbers(item, "weights"));
            case "Softmax":
                using (torch.Tensor weight = Matrix(item.GetProperty("weight")))
                using (torch.Tensor bias = torch.tensor(Numbers(item, "bias")))
                {
                    var loss = new SoftmaxLoss((int)weight.shape[1] / 3, (int)weight.shape[0]);
                    Replace(loss, "weight", weight);
                    Replace(loss, "bias", bias);
                    return loss;
                }
            default:
                throw new AssertFailedException($"No loss for the reference case '{name}'.");
        }
    }

    // The classifier is kept in fp32; the reference's weights are doubles.
    private static void Replace(SoftmaxLoss loss, string name, torch.Tensor value)
    {
        torch.Tensor parameter = loss.Parameters.Single(item => item.Name == name).Value;
        parameter.requires_grad_(false).set_(value.clone()).requires_grad_();
    }

    private static torch.Tensor? Labels(SentenceLoss loss, JsonElement item) => loss.Label switch
    {
        LossLabel.None => null,
        LossLabel.Class => torch.tensor(Numbers(item, "labels").Select(value => (long)value).ToArray()),
        LossLabel.Vector => Matrix(item.GetProperty("target")),
        _ => torch.tensor(Numbers(item, "labels")),
    };

    private static double Number(JsonElement item, string key) => item.GetProperty(key).GetDouble();

    private static double[] Numbers(JsonElement item, string key) => [.. item.GetProperty(key).EnumerateArray().Select(value => value.GetDouble())];

    private static torch.Tensor Matrix(JsonElement rows)
    {
        double[][] values = [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(value => value.GetDouble()).ToArray())];
        return torch.tensor(values.SelectMany(row => row).ToArray(), [values.Length, values[0].Length]);
    }

    private static void AssertClose(double expected, double actual, double tolerance, string what) =>
        Assert.IsLessThanOrEqualTo(tolerance * Math.Max(1, Math.Abs(expected)), Math.Abs(expected - actual), $"{what}: expected {expected}, got {actual}");

    private static JsonDocument Read() => JsonDocument.Parse(File.ReadAllBytes(TestData.Golden("losses", "cases.json")));
}
