using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Lacos.Tests.Tokenization;

namespace Microsoft.ML.Lacos.Tests;

/// <summary>Files and messages are the same in every culture; here one that writes numbers otherwise than any.</summary>
[TestClass]
public sealed class CultureTests
{
    [TestMethod]
    public void NumbersInMessagesAreWrittenWithAPoint() => Elsewhere(() =>
    {
        var matrices = new Dictionary<string, LoraMatrices> { ["h.0.self_attention.query_key_value"] = new(1, [1], [1]) };
        Assert.Contains("strength is -0.5;", Assert.Throws<ArgumentException>(() => new PeftAdapter(new LoraConfig { Rank = 1 }, matrices).WithStrength(-0.5)).Message);
        JsonObject tokenizer = TokenizerFiles.Small();
        tokenizer["model"]!["dropout"] = 0.5;
        Assert.Contains("a dropout of 0.5,", Assert.Throws<NotSupportedException>(() => TokenizerFiles.Load(tokenizer)).Message);
        using var folder = new TemporaryFolder();
        var tiny = new TinyModel();
        tiny.Tensors["ln_f.bias"].Values[3] = -70_000.5f;
        using LacosModel floats = LacosModel.Load(tiny.WriteTo(folder.Path), new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        Assert.Contains("OutlierThreshold is 6.5,", Assert.Throws<ArgumentException>(() => BloomEncoders.Create(floats.Weights, BloomCompute.Int8, 6.5f, 1)).Message);
        Assert.Contains("holds -70000.5,", Assert.Throws<InvalidDataException>(() => floats.SaveFolder(folder.File("out"), CheckpointPrecision.Float16)).Message);
    });

    [TestMethod]
    public void FilesAreTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        TinyModel.SentenceTransformers().WriteTo(folder.Path);
        byte[] expected = Bytes();
        Elsewhere(() => CollectionAssert.AreEqual(expected, Bytes()));

        byte[] Bytes()
        {
            using var stream = new MemoryStream();
            using LacosModel model = LacosModel.Load(folder.Path, new LacosModelLoadOptions { Scheme = QuantizationScheme.BlockwiseDynamic });
            model.Save(stream);
            model.SaveFolder(folder.File("out"));
            foreach (string file in Directory.GetFiles(folder.File("out"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                stream.Write(File.ReadAllBytes(file));
            }
            return stream.ToArray();
        }
    }

    private static void Elsewhere(Action action)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (",", "'", "\u2212");
        CultureInfo.CurrentCulture = culture;
        try
        {
            action();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
