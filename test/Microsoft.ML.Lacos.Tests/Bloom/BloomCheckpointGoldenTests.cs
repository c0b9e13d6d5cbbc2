using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
[TestCategory("Golden")]
public sealed unsafe class BloomCheckpointGoldenTests
{
    [TestMethod]
    public void EveryCheckpointGivesTheInputOfTheFirstBlock()
    {
        string[] folders = [.. Directory.GetDirectories(TestData.Golden("bloom")).Order(StringComparer.Ordinal)];
        Assert.AreNotEqual(0, folders.Length);
        foreach (string folder in folders)
        {
            using BloomCheckpoint checkpoint = BloomCheckpoint.Load(folder);
            using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
            foreach (string side in (string[])["left", "right"])
            {
                CheckFirstInput(checkpoint.Weights, expected, side, Path.GetFileName(folder));
            }
        }
    }

    [TestMethod]
    public void ConfigurationsOfBothSpellingsAreRead()
    {
        foreach (string folder in Directory.GetDirectories(TestData.Golden("bloom")))
        {
            using BloomCheckpoint checkpoint = BloomCheckpoint.Load(folder);
            string json = File.ReadAllText(Path.Combine(folder, "config.json"));
            BloomConfig config = checkpoint.Weights.Config;
            StringAssert.Contains(json, $"\"vocab_size\": {config.VocabularySize}");
            StringAssert.Contains(json, $"\"{(json.Contains("n_embed") ? "n_embed" : "hidden_size")}\": {config.HiddenSize}");
            StringAssert.Contains(json, $"\"{(json.Contains("num_attention_heads") ? "num_attention_heads" : "n_head")}\": {config.HeadCount}");
            StringAssert.Contains(json, $"\"apply_residual_connection_post_layernorm\": {(config.ResidualPostLayerNorm ? "true" : "false")}");
            Assert.HasCount(config.LayerCount, checkpoint.Weights.Blocks);
        }
    }

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise, 0.5 / 127)]
    [DataRow(QuantizationScheme.BlockwiseLinear, 0.5 / 127)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, 0.01)]
    public void QuantisedWhileLoadingStaysWithinHalfAStep(QuantizationScheme scheme, double step)
    {
        string folder = TestData.Golden("bloom", "pow2-fp32");
        using BloomCheckpoint exact = BloomCheckpoint.Load(folder);
        using BloomCheckpoint coded = BloomCheckpoint.Load(folder, scheme, 128, QuantizationScheme.Rowwise);
        Assert.AreEqual(QuantizationScheme.Rowwise, coded.Weights.WordEmbeddings.Scheme);
        WeightMatrix a = exact.Weights.Blocks[0].DenseHTo4H.Weight;
        WeightMatrix b = coded.Weights.Blocks[0].DenseHTo4H.Weight;
        Assert.AreEqual(scheme, b.Scheme);
        var rowA = new float[a.Columns];
        var rowB = new float[a.Columns];
        for (int row = 0; row < a.Rows; row++)
        {
            a.DequantizeRow(row, rowA);
            b.DequantizeRow(row, rowB);
            float absmax = scheme == QuantizationScheme.Rowwise ? b.Scales[row] : b.Scales[(long)row * b.Columns / b.BlockSize];
            for (int column = 0; column < rowA.Length; column++)
            {
                Assert.AreEqual(rowA[column], rowB[column], (absmax * step) + 1e-7, $"row {row} column {column}");
            }
        }
    }

    private static void CheckFirstInput(BloomWeights weights, SafetensorsFile expected, string side, string name)
    {
        SafetensorsEntry idEntry = expected.Require($"{side}.input_ids");
        var ids = new ReadOnlySpan<int>(expected.Pointer(idEntry), (int)idEntry.Count);
        var mask = new ReadOnlySpan<int>(expected.Pointer(expected.Require($"{side}.attention_mask")), ids.Length);
        float[] wanted = expected.ReadFloats($"{side}.hidden_states.0");
        double scale = wanted.Max(Math.Abs);
        int hidden = weights.Config.HiddenSize;
        var row = new float[hidden];
        for (int token = 0; token < ids.Length; token++)
        {
            if (mask[token] == 0)
            {
                continue;
            }
            weights.WordEmbeddings.DequantizeRow(ids[token], row);
            double mean = row.Average(x => (double)x);
            double deviation = Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + weights.Config.LayerNormEpsilon);
            for (int index = 0; index < hidden; index++)
            {
                double value = ((row[index] - mean) / deviation * weights.WordEmbeddingsLayerNorm.Weight[index]) + weights.WordEmbeddingsLayerNorm.Bias[index];
                Assert.AreEqual(wanted[(token * hidden) + index], value, 2e-5 * scale, $"{name} {side} token {token} dimension {index}");
            }
        }
    }
}
