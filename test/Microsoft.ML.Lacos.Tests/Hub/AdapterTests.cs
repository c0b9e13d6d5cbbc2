using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class AdapterTests
{
    private const string Module = "h.0.self_attention.dense";

    [TestMethod]
    public void AdapterNamedAtLoadIsMergedIntoTheWeights()
    {
        using var folder = new TemporaryFolder();
        using LacosModel plain = LacosModel.LoadDefault();
        WriteAdapter(folder.Path, plain.Weights.Config.HiddenSize, scale: 0.5f);
        using LacosModel adapted = LacosModel.LoadDefault(new LacosModelLoadOptions { Adapter = folder.Path });
        WeightMatrix before = plain.Weights.Blocks[0].Dense.Weight;
        WeightMatrix after = adapted.Weights.Blocks[0].Dense.Weight;
        var expected = new float[before.Columns];
        var actual = new float[before.Columns];
        before.DequantizeRow(7, expected);
        after.DequantizeRow(7, actual);
        expected[3] += 0.5f;
        float step = after.Scales[7] / 127f;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], step * 1.01f, $"column {i}");
        }
        Assert.AreNotEqual(plain.Fingerprint, adapted.Fingerprint);
        using SentenceEncoder plainEncoder = SentenceEncoder.Create(plain);
        using SentenceEncoder adaptedEncoder = SentenceEncoder.Create(adapted);
        CollectionAssert.AreNotEqual(plainEncoder.Encode("a sentence"), adaptedEncoder.Encode("a sentence"));
    }

    [TestMethod]
    public void AnAdaptedModelKeepsItsNameAndLicenceAndDropsScoresOfOtherWeights()
    {
        using var folder = new TemporaryFolder();
        using LacosModel plain = LacosModel.LoadDefault();
        WriteAdapter(folder.Path, plain.Weights.Config.HiddenSize, scale: 0.5f);
        var told = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ModelProvenance.Name] = "base", [ModelProvenance.License] = "MIT", [ModelProvenance.BaseSha256] = "f00d", ["data"] = "pairs",
            [ModelProvenance.Scores] = new ModelScores([new SetScore("en", "stsb-en-test", 10, 0.5, 0.7)]).Write(),
        };
        using LacosModel scored = plain.With(provenance: told);
        using LacosModel adapted = scored.WithAdapter(PeftAdapter.Load(folder.Path));
        Assert.IsNull(ModelScores.Of(adapted));
        Assert.IsNotNull(ModelScores.Of(scored), "the model it was made from stays as it is");
        told.Remove(ModelProvenance.Scores);
        CollectionAssert.AreEquivalent(told.ToArray(), adapted.Provenance.ToArray());
    }

    [TestMethod]
    public void AdapterOfAnotherShapeIsRefused()
    {
        using var folder = new TemporaryFolder();
        WriteAdapter(folder.Path, 32, scale: 1);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.LoadDefault(new LacosModelLoadOptions { Adapter = folder.Path }));
        StringAssert.Contains(error.Message, "32 x 32");
    }

    [TestMethod]
    public void EncoderKeepsTheWeightsOfADisposedModel()
    {
        LacosModel model = LacosModel.LoadDefault();
        using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { Compute = BloomCompute.Int8WeightOnly });
        float[] before = encoder.Encode("still here");
        model.Dispose();
        CollectionAssert.AreEqual(before, encoder.Encode("still here"));
    }

    /// <summary>An update with a single element: row 7, column 3.</summary>
    internal static void WriteAdapter(string folder, int hidden, float scale)
    {
        var a = new float[hidden];
        var b = new float[hidden];
        a[3] = 1;
        b[7] = scale;
        var config = new LoraConfig { Rank = 1, Alpha = 1, TargetModules = ["dense"], Blocks = [0] };
        new PeftAdapter(config, new Dictionary<string, LoraMatrices> { [Module] = new(1, a, b) }).Save(folder);
    }
}
