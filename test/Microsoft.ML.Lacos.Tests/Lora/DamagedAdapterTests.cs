using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Damage;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Tests.Lora;

[TestClass]
public sealed class DamagedAdapterTests
{
    [TestMethod]
    public void ADamagedAdapterIsRefusedClearlyOrGivesFiniteVectors()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model")), copy = folder.File("copy");
        Adapter().Save(folder.File("adapter"));
        var whole = new FolderDamage(folder.File("adapter"));
        string[] names = [.. whole.Files.Keys];
        int refused = 0, used = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            Directory.CreateDirectory(copy);
            whole.WriteTo(copy);
            string name = names[seed % names.Length], done = $"seed {seed}, {name}: {whole.Spoil(copy, name, random)}", before = FolderDamage.Describe(copy);
            Exception? error = Refusal.Of(() => Use(model, copy), done);
            Assert.AreEqual(before, FolderDamage.Describe(copy), done);
            (refused, used) = error is null ? (refused, used + 1) : (refused + 1, used);
            Directory.Delete(copy, recursive: true);
        }
        Assert.IsGreaterThan(200, refused);
        Assert.IsGreaterThan(20, used, "some damage is harmless");
    }

    [TestMethod]
    public void AConfigurationThatSaysSomethingTwiceIsRefused()
    {
        using var folder = new TemporaryFolder();
        Adapter().Save(folder.Path);
        string path = folder.File(PeftAdapter.ConfigFileName), text = File.ReadAllText(path);
        File.WriteAllText(path, text.Replace("\"r\": 2", "\"r\": 3,\n\"r\": 2", StringComparison.Ordinal));
        Assert.Contains("'r'", Assert.ThrowsExactly<InvalidDataException>(() => PeftAdapter.Load(folder.Path)).Message);
    }

    private static void Use(string model, string adapter)
    {
        using LacosModel adapted = LacosModel.Load(model, new LacosModelLoadOptions { Adapter = adapter, Scheme = QuantizationScheme.Rowwise });
        using SentenceEncoder encoder = SentenceEncoder.Create(adapted);
        Assert.IsTrue(encoder.Encode("abc").All(float.IsFinite));
    }

    // With everything that a configuration can say of modules.
    private static PeftAdapter Adapter()
    {
        var random = new Random(3);
        var config = new LoraConfig
        {
            Rank = 2, Alpha = 4, TargetModules = ["query_key_value", "dense"], ExcludedPattern = ".*mlp.*",
            RankPatterns = [new("h.1.self_attention.dense", 3)], AlphaPatterns = [new("h.0.*dense", 5)],
        };
        return new PeftAdapter(config, Enumerable.Range(0, TinyModel.Layers).SelectMany(layer => new[]
        {
            KeyValuePair.Create($"h.{layer}.self_attention.query_key_value", Matrices(2, 3 * TinyModel.Hidden)),
            KeyValuePair.Create($"h.{layer}.self_attention.dense", Matrices(2 + layer, TinyModel.Hidden)),
        }).ToDictionary());

        LoraMatrices Matrices(int rank, int rows) => new(rank, Values(rank * TinyModel.Hidden), Values(rows * rank));

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
