using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainPromptTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";

    [TestMethod]
    public void WhatIsWrittenPutsThePromptBeforeEverySentence()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl", "--export-folder", folder.File("exported"));
        Succeeds(folder, "--output", folder.File("plain"));
        CollectionAssert.AreNotEqual(Adapter(folder, "plain"), Adapter(folder, "out"), "trained with it");
        foreach (string path in new[] { Path.Combine(folder.File("out"), "model.lacos"), folder.File("exported") })
        {
            using LacosModel written = LacosModel.Load(path);
            using SentenceEncoder encoder = SentenceEncoder.Create(written), bare = SentenceEncoder.Create(written, new SentenceEncoderOptions { Prompt = "" });
            Assert.AreEqual("kl", encoder.Prompt, path);
            CollectionAssert.AreEqual(bare.Encode("klab"), encoder.Encode("ab"), path);
        }
    }

    [TestMethod]
    public void NoPromptIsKeptToo()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl");
        Succeeds(folder, "--model", Path.Combine(folder.File("out"), "model.lacos"), "--prompt", "", "--output", folder.File("again"));
        using LacosModel written = LacosModel.Load(Path.Combine(folder.File("again"), "model.lacos"));
        Assert.IsNull(written.Settings.DefaultPromptName);
    }

    [TestMethod]
    public void ALimitRaisedForThePromptIsKeptWithIt()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", new string('k', 300), "--max-tokens", "310");
        using LacosModel written = LacosModel.Load(Path.Combine(folder.File("out"), "model.lacos"));
        using SentenceEncoder encoder = SentenceEncoder.Create(written);
        Assert.AreEqual(310, encoder.MaximumTokenCount);
    }

    // Without steps that change anything the base's own vectors are reached at once; those of texts without the prompt are not.
    [TestMethod]
    public void TheBaseTeachesWithThePromptOfTheRun()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl", "--loss", "mse", "--lora-dropout", "0", "--base-scheme", "float32", "--data", folder.Write("texts.tsv", "text\nab\ncd\n") + ",teacher=base");
        string first = File.ReadLines(Path.Combine(folder.File("out"), "train-log.jsonl")).First();
        double loss = System.Text.Json.JsonDocument.Parse(first).RootElement.GetProperty("loss").GetDouble();
        Assert.IsLessThan(1e-4, loss, first);
    }

    [TestMethod]
    public void APromptWithoutRoomForTextsIsRefusedBeforeTheTraining()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = Run(folder, "--prompt", "klk", "--max-tokens", "3");
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "The prompt has 3 tokens and the limit of a text is 3, prompt included. Shorten the prompt or raise --max-tokens.");
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    private static byte[] Adapter(TemporaryFolder folder, string name) => File.ReadAllBytes(Path.Combine(folder.File(name), "adapter_model.safetensors"));

    private static void Succeeds(TemporaryFolder folder, params string[] options)
    {
        ToolRun run = Run(folder, options);
        Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
    }

    private static ToolRun Run(TemporaryFolder folder, params string[] options)
    {
        string[] model = options.Contains("--model") ? [] : ["--model", TinyModel.OfLetters().WriteTo(folder.File("model"))];
        string[] data = options.Contains("--data") ? [] : ["--data", folder.Write("pairs.tsv", Pairs)];
        string[] output = options.Contains("--output") ? [] : ["--output", folder.File("out")];
        return ToolRun.Of(["train", .. model, .. data, .. output, "--batch-size", "2", "--lora-rank", "2", "--steps", "2", .. options]);
    }
}
