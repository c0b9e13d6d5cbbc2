using System.Text.Json;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Download;

[TestClass]
public sealed class DownloadTests
{
    [TestMethod]
    public void AModelArrivesAtItsCommitWithItsCardAndLicenceAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual(folder.File("m") + "\n", run.Output);
        hub.RequireWhole(folder.File("m"));
        Assert.AreEqual($"/api/models/{FakeHub.Model}/revision/main?blobs=true", hub.HubCalls[0].Path);
        Assert.IsTrue(hub.HubCalls[1..].All(call => call.Path.StartsWith($"/{FakeHub.Model}/resolve/{FakeHub.Commit}/", StringComparison.Ordinal)), "files of the commit, not of the branch");
        Assert.HasCount(6, hub.HubCalls, "a request for each file and one for the list");
        Assert.AreEqual(2, run.Error.Split('\n').Count(line => line.Contains("model.safetensors", StringComparison.Ordinal) || line.Contains(FakeHub.Commit, StringComparison.Ordinal)), run.Error);
    }

    [TestMethod]
    public void VectorsAreThoseOfTheOriginalFolder()
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.OfLetters();
        string original = tiny.WriteTo(Directory.CreateDirectory(folder.File("original")).FullName);
        using FakeHub hub = FakeHub.OfModel(tiny);
        Assert.AreEqual(0, hub.Run(folder.File("fetched")).ExitCode);
        string texts = folder.Write("t.txt", "abc\nlkj\na\n");
        var vectors = new List<byte[]>();
        foreach (string model in new[] { original, folder.File("fetched") })
        {
            ToolRun run = ToolProcess.Run(folder.Path, "", "embed", "--model", model, "--input", texts, "--output", folder.File("v.npy"));
            Assert.AreEqual(0, run.ExitCode, run.Error);
            vectors.Add(File.ReadAllBytes(folder.File("v.npy")));
        }
        CollectionAssert.AreEqual(vectors[0], vectors[1]);
        using LacosModel quantized = LacosModel.Load(folder.File("fetched"));
        Assert.AreEqual("bigscience-bloom-rail-1.0", quantized.Provenance[ModelProvenance.License], "the licence travels with the weights");
    }

    [TestMethod]
    public void ASentenceTransformersModelArrivesWithItsModulesAndPrompts()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel(TinyModel.SentenceTransformers());
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"), "modules.json", "1_Pooling/config.json", "config_sentence_transformers.json", "sentence_bert_config.json");
        using LacosModel model = LacosModel.Load(folder.File("m"));
        Assert.AreEqual("query", model.Settings.DefaultPromptName);
    }

    [TestMethod]
    public void ACheckpointInAFolderOfItsOwnArrivesThere()
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();
        using FakeHub hub = FakeHub.OfModel(tiny);
        hub.Add("modules.json", tiny.Files["modules.json"].Replace("\"path\":\"\"", "\"path\":\"0_Transformer\"", StringComparison.Ordinal));
        foreach (string name in new[] { "config.json", "tokenizer.json", "sentence_bert_config.json", "model.safetensors" })
        {
            hub.Files["0_Transformer/" + name] = hub.Files[name];
            hub.Files.Remove(name);
        }
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        using LacosModel model = LacosModel.Load(folder.File("m"));
        Assert.AreEqual(16, model.Settings.MaximumTokenCount);
    }

    [TestMethod]
    public void ShardsAreThoseOfTheIndex()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Files["model-00001-of-00001.safetensors"] = hub.Files["model.safetensors"];
        hub.Files["other.safetensors"] = [1, 2, 3];
        hub.Files.Remove("model.safetensors");
        IEnumerable<string> entries = TinyModel.OfLetters().Tensors.Keys.Select(name => $"\"{name}\":\"model-00001-of-00001.safetensors\"");
        hub.Add("model.safetensors.index.json", "{\"weight_map\":{" + string.Join(',', entries) + "}}");
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"), "model-00001-of-00001.safetensors", "model.safetensors.index.json");
        LacosModel.Load(folder.File("m")).Dispose();
    }

    [TestMethod]
    public void AnAdapterOfABloomArrives()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Files.Remove("model.safetensors");
        hub.Files.Remove("config.json");
        hub.Files.Remove("tokenizer.json");
        hub.Add("adapter_config.json", """{"peft_type":"LORA","r":2,"target_modules":["query_key_value"]}""");
        hub.Files["adapter_model.safetensors"] = [1, 2, 3];
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"), "adapter_config.json", "adapter_model.safetensors");
    }

    [TestMethod]
    [DataRow("""{"peft_type":"LORA","target_modules":["q_proj","v_proj"]}""", "q_proj, v_proj")]
    [DataRow("""{"peft_type":"IA3"}""", "only LORA is supported")]
    public void AnAdapterOfSomethingElseIsRefusedBeforeItsWeights(string config, string expected)
    {
        using var folder = new TemporaryFolder();
        using var hub = new FakeHub();
        hub.Add("adapter_config.json", config);
        hub.Files["adapter_model.safetensors"] = [1, 2, 3];
        RequireRefused(hub, folder, expected);
        Assert.IsEmpty(hub.StoreCalls);
    }

    [TestMethod]
    [DataRow("config.json", """{"model_type":"bert"}""", "only 'bloom' is supported")]
    [DataRow("config.json", "not JSON", "not a model configuration")]
    [DataRow("modules.json", """[{"type":"x.Transformer","path":""},{"type":"x.Pooling","path":"1_Pooling"},{"type":"x.Dense","path":"2_Dense"}]""", "Dense")]
    [DataRow("modules.json", """[{"type":"x.Transformer","path":"../.."},{"type":"x.Pooling","path":"1_Pooling"}]""", "outside the model's folder")]
    [DataRow("1_Pooling/config.json", """{"pooling_mode":"largest"}""", "largest")]
    [DataRow("tokenizer.json", null, "no 'tokenizer.json'")]
    [DataRow("1_Pooling/config.json", null, "1_Pooling/config.json")]
    public void AModelThatCannotBeLoadedIsRefusedBeforeItsWeights(string path, string? content, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel(TinyModel.SentenceTransformers());
        hub.Files.Remove(path);
        if (content is not null)
        {
            hub.Add(path, content);
        }
        RequireRefused(hub, folder, expected);
        Assert.IsEmpty(hub.StoreCalls);
    }

    [TestMethod]
    public void AModelThatIsOnlyAPickleIsRefusedBeforeAnythingIsFetched()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Files.Remove("model.safetensors");
        RequireRefused(hub, folder, "'pytorch_model.bin', a pickle");
        ToolRun run = hub.Run(folder.File("m"), "--revision", "refs/pr/7");
        StringAssert.Contains(run.Error, "refs/pr/");
        StringAssert.EndsWith(hub.HubCalls[^1].Path, "/revision/refs%2Fpr%2F7?blobs=true");
        Assert.HasCount(2, hub.HubCalls, "nothing but the lists was asked for");
    }

    [TestMethod]
    public void ASecondRunAsksForTheListAlone()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        int calls = hub.HubCalls.Length, weights = hub.StoreCalls.Length;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual((calls + 1, weights), (hub.HubCalls.Length, hub.StoreCalls.Length));
        Assert.AreEqual(5, run.Error.Split('\n').Count(line => line.StartsWith("up to date", StringComparison.Ordinal)), run.Error);
    }

    [TestMethod]
    public void ADryRunTellsOfFilesAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        ToolRun run = hub.Run(folder.File("m"), "--dry-run");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, "| model.safetensors |");
        StringAssert.Contains(run.Output, " 6 bytes | no    |", "the licence");
        Assert.IsFalse(run.Output.Contains(".bin", StringComparison.Ordinal), run.Output);
        Assert.IsEmpty(hub.StoreCalls);
        Assert.IsFalse(Directory.Exists(folder.File("m")));

        Directory.CreateDirectory(folder.File("m"));
        File.WriteAllBytes(Path.Combine(folder.File("m"), "tokenizer.json"), hub.Files["tokenizer.json"]);
        File.WriteAllText(Path.Combine(folder.File("m"), "LICENSE"), "mine");
        ToolRun json = hub.Run(folder.File("m"), "--dry-run", "--json");
        using JsonDocument document = JsonDocument.Parse(json.Output);
        Assert.AreEqual(FakeHub.Commit, document.RootElement.GetProperty("commit").GetString());
        string states = string.Join(' ', document.RootElement.GetProperty("files").EnumerateArray().Select(file => $"{file.GetProperty("path").GetString()}:{file.GetProperty("state").GetString()}").Order(StringComparer.Ordinal));
        Assert.AreEqual("LICENSE:in_the_way README.md:missing config.json:missing model.safetensors:missing tokenizer.json:up_to_date", states);
    }

    internal static void RequireRefused(FakeHub hub, TemporaryFolder folder, string expected, int exitCode = 1)
    {
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.AreEqual("", run.Output);
        Assert.IsFalse(Directory.Exists(folder.File("m")), "nothing was written");
    }
}
