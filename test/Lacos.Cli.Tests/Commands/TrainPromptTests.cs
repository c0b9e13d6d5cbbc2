using System.Text.Json;
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

    // The first step's loss is that of the untrained model, which is its own teacher; without the prompt it would teach other vectors.
    [TestMethod]
    public void TheBaseTeachesWithThePromptOfTheRun()
    {
        using var folder = new TemporaryFolder();
        string texts = folder.Write("texts.tsv", "text\nab\ncd\n");
        Assert.IsLessThan(1e-4, FirstLoss("base"));
        Assert.IsGreaterThan(1e-3, FirstLoss(TinyModel.OfLetters().WriteTo(folder.File("teacher"))));

        double FirstLoss(string teacher)
        {
            string output = folder.File("of-" + Path.GetFileName(teacher));
            Succeeds(folder, "--prompt", "kl", "--loss", "mse", "--lora-dropout", "0", "--base-scheme", "float32", "--data", $"{texts},teacher={teacher}", "--output", output);
            using var log = JsonDocument.Parse(File.ReadLines(Path.Combine(output, "train-log.jsonl")).First());
            return log.RootElement.GetProperty("loss").GetDouble();
        }
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

    [TestMethod]
    public void APromptNamedIsTrainedWithAndBecomesTheDefault()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl");
        Succeeds(folder, "--prompt", "k", "--model", Path.Combine(folder.File("out"), "model.lacos"), "--output", folder.File("second"));
        string model = Path.Combine(folder.File("second"), "model.lacos");
        Succeeds(folder, "--prompt-name", "trained", "--model", model, "--output", folder.File("third"));
        using LacosModel written = LacosModel.Load(Path.Combine(folder.File("third"), "model.lacos"));
        Assert.AreEqual("trained", written.Settings.DefaultPromptName);
        StringAssert.Contains(ToolRun.Of("info", "--model", model).Output, "prompts      trained-2 'k' (default), trained 'kl'");
        foreach (string[] command in (string[][])[["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out4")], ["train", "--data", folder.Write("texts.tsv", "text\nab\ncd\n") + ",loss=mse,teacher=base", "--output", folder.File("out4")]])
        {
            ToolRun unknown = ToolRun.Of([.. command, "--model", model, "--prompt-name", "query"]);
            Assert.AreEqual(ExitCode.Usage, unknown.ExitCode, unknown.Error);
            StringAssert.Contains(unknown.Error, "lacos: --prompt-name is 'query'; the model's prompts are: trained, trained-2.");
        }
    }

    [TestMethod]
    [DataRow("embed --input texts.txt --output v.npy")]
    [DataRow("eval --data pairs.tsv")]
    [DataRow("similarity a b")]
    [DataRow("mine --data pairs.tsv --output mined.tsv")]
    [DataRow("train --data pairs.tsv --output out")]
    public void ATextBesideANameIsRefused(string command)
    {
        ToolRun run = ToolRun.Of([.. command.Split(' '), "--prompt", "q: ", "--prompt-name", "query"]);
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "--prompt and --prompt-name contradict each other. Give one of them.");
    }

    [TestMethod]
    public void SentencesAreComparedWithThePromptNamed()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--prompt", "kl");
        Succeeds(folder, "--prompt", "", "--model", Path.Combine(folder.File("out"), "model.lacos"), "--output", folder.File("bare"));
        string[] similarity = ["similarity", "ab", "cde", "--model", Path.Combine(folder.File("bare"), "model.lacos")];
        var models = new FakeModels();
        Assert.AreEqual(0, ToolRun.Of(models, "", default, [.. similarity, "--prompt-name", "trained"]).ExitCode);
        Assert.AreEqual("trained", models.Options!.PromptName);
        string named = ToolProcess.Run(folder.Path, "", [.. similarity, "--prompt-name", "trained"]).Output;
        Assert.AreEqual(ToolProcess.Run(folder.Path, "", [.. similarity, "--prompt", "kl"]).Output, named);
        Assert.AreNotEqual(ToolProcess.Run(folder.Path, "", similarity).Output, named);
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
