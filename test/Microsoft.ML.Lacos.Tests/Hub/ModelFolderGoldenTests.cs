using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
[TestCategory("Golden")]
public sealed class ModelFolderGoldenTests
{
    [TestMethod]
    public void EveryFolderGivesItsPoolingPromptsAndTokenLimit()
    {
        string[] sources = [.. Directory.GetDirectories(TestData.Golden("sentence_transformers")).Order(StringComparer.Ordinal)];
        Assert.AreNotEqual(0, sources.Length);
        foreach (string source in sources)
        {
            using var folder = new TemporaryFolder();
            Complete(source, folder.Path);
            using LacosModel model = LacosModel.Load(folder.Path);
            string name = Path.GetFileName(source);
            using JsonDocument pooling = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "1_Pooling", "config.json")));
            bool isOlder = !pooling.RootElement.TryGetProperty("pooling_mode", out JsonElement mode);
            PoolingModes expected = isOlder ? PoolingModes.None : Named(mode.GetString()!);
            if (isOlder)
            {
                foreach ((string key, PoolingModes value) in OlderKeys)
                {
                    expected |= pooling.RootElement.GetProperty(key).GetBoolean() ? value : PoolingModes.None;
                }
            }
            Assert.AreEqual(expected, model.Settings.Pooling, name);
            Assert.AreEqual(File.ReadAllText(Path.Combine(source, "modules.json")).Contains("Normalize", StringComparison.Ordinal), model.Settings.Normalize, name);
            Assert.AreEqual(ExpectedLimit(source, isOlder), model.Settings.MaximumTokenCount, name);
            using JsonDocument settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "config_sentence_transformers.json")));
            Assert.AreEqual(settings.RootElement.GetProperty("default_prompt_name").GetString(), model.Settings.DefaultPromptName, name);
            foreach (JsonProperty prompt in settings.RootElement.GetProperty("prompts").EnumerateObject())
            {
                Assert.AreEqual(prompt.Value.GetString(), model.Settings.Prompts[prompt.Name], name);
            }
        }
    }

    private static readonly (string Key, PoolingModes Mode)[] OlderKeys =
    [
        ("pooling_mode_cls_token", PoolingModes.FirstToken),
        ("pooling_mode_max_tokens", PoolingModes.Max),
        ("pooling_mode_mean_tokens", PoolingModes.Mean),
        ("pooling_mode_mean_sqrt_len_tokens", PoolingModes.MeanSqrtLength),
        ("pooling_mode_weightedmean_tokens", PoolingModes.WeightedMean),
        ("pooling_mode_lasttoken", PoolingModes.LastToken),
    ];

    private static PoolingModes Named(string name) => name switch
    {
        "cls" => PoolingModes.FirstToken,
        "max" => PoolingModes.Max,
        "mean" => PoolingModes.Mean,
        "mean_sqrt_len_tokens" => PoolingModes.MeanSqrtLength,
        "weightedmean" => PoolingModes.WeightedMean,
        "lasttoken" => PoolingModes.LastToken,
        _ => throw new AssertFailedException(name),
    };

    private static int ExpectedLimit(string source, bool isOlder)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, isOlder ? "sentence_bert_config.json" : "tokenizer_config.json")));
        return json.RootElement.GetProperty(isOlder ? "max_seq_length" : "model_max_length").GetInt32();
    }

    // Only the folder "mean" holds weights and tokenizer; the others use those.
    internal static void Complete(string source, string target)
    {
        foreach (string file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        foreach (string name in (string[])["model.safetensors", "tokenizer.json"])
        {
            File.Copy(TestData.Golden("sentence_transformers", "mean", name), Path.Combine(target, name), overwrite: true);
        }
    }
}
