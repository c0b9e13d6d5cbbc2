using System.Text.Json;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainBaseTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";

    private static readonly string[] Small = ["--batch-size", "2", "--lora-rank", "2", "--lora-alpha", "2", "--steps", "2", "--learning-rate", "0.05"];

    [TestMethod]
    [DataRow("own", QuantizationScheme.Rowwise)]
    [DataRow("blockwise-dynamic", QuantizationScheme.BlockwiseDynamic)]
    [DataRow("float32", QuantizationScheme.None)]
    public void TheModelWrittenHasTheSchemeOfTheBase(string name, QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string data = folder.Write("pairs.tsv", Pairs);
        Succeeds(["train", "--model", model, "--data", data, "--output", folder.File("out"), "--base-scheme", name, .. Small]);
        using LacosModel written = LacosModel.Load(Path.Combine(folder.File("out"), "model.lacos"));
        Assert.AreEqual(scheme, written.Weights.Blocks[1].Dense.Weight.Scheme);
        Assert.AreEqual(scheme, written.Weights.WordEmbeddings.Scheme);
    }

    [TestMethod]
    [DataRow("own")]
    [DataRow("blockwise-linear")]
    [DataRow("float32")]
    public void TheModelWrittenScoresAsItDidInTheEvaluation(string name)
    {
        using var folder = new TemporaryFolder();
        string model = folder.File("model");
        using (LacosModel built = LacosModel.LoadDefault())
        {
            built.SaveFolder(model);
        }
        string data = folder.Write("pairs.tsv", "anchor\tpositive\na cat sleeps\tthe cat is asleep\nrain fell\tit rained\na red bus\tthe bus is red\n");
        string judged = folder.Write("dev.tsv", "sentence1\tsentence2\tscore\na dog barks\tthe dog is barking\t5\na boat sails\ta ship on the sea\t3\nsnow\ta loud song\t1\nbread\tthe window broke\t0\n");
        Succeeds(["train", "--model", model, "--data", data, "--output", folder.File("out"), "--base-scheme", name, "--eval", judged, .. Small]);
        string log = File.ReadAllLines(Path.Combine(folder.File("out"), "train-log.jsonl"))[^1];
        double told = JsonDocument.Parse(log).RootElement.GetProperty("spearman").GetDouble();
        ToolRun eval = ToolProcess.Run(folder.Path, "", "eval", "--data", judged, "--model", Path.Combine(folder.File("out"), "model.lacos"), "--json", "-", "--quiet");
        Assert.AreEqual(0, eval.ExitCode, eval.Error);
        Assert.AreEqual(told, JsonDocument.Parse(eval.Output).RootElement.GetProperty("mean").GetProperty("cosine_spearman").GetDouble(), 1e-9);
    }

    [TestMethod]
    [DataRow("float32")]
    [DataRow("blockwise-dynamic")]
    [DataRow("blockwise-linear")]
    public void ABaseIsItsOwnTeacherInTheSchemeThatTheRunHasIt(string scheme)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        Succeeds(["train", "--model", model, "--data", folder.Write("pairs.tsv", Pairs) + ",loss=mse,columns=anchor,teacher=base", "--output", folder.File("out"), "--base-scheme", scheme, "--lora-dropout", "0", .. Small]);
        string first = File.ReadLines(Path.Combine(folder.File("out"), "train-log.jsonl")).First();
        Assert.IsLessThan(1e-10, JsonDocument.Parse(first).RootElement.GetProperty("loss").GetDouble());
    }

    [TestMethod]
    public void BesideAnAdapterTheTeacherBaseIsTheBaseWithoutIt()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string data = folder.Write("pairs.tsv", Pairs);
        string[] shared = ["train", "--model", model, "--base-scheme", "float32", "--batch-size", "2", "--steps", "1"];
        Succeeds([.. shared, "--data", data, "--output", folder.File("first"), "--lora-rank", "2", "--lora-alpha", "2", "--learning-rate", "0.05", "--warmup", "0"]);
        Assert.IsGreaterThan(1e-6, LossTaughtBy("base"));
        Assert.IsLessThan(1e-10, LossTaughtBy(Path.Combine(folder.File("first"), "model.lacos")));

        double LossTaughtBy(string teacher)
        {
            string output = folder.File(Path.GetFileName(teacher) + "-out");
            Succeeds([.. shared, "--data", $"{data},loss=mse,columns=anchor,teacher={teacher}", "--output", output, "--adapter", folder.File("first"), "--lora-dropout", "0"]);
            return JsonDocument.Parse(File.ReadLines(Path.Combine(output, "train-log.jsonl")).First()).RootElement.GetProperty("loss").GetDouble();
        }
    }

    [TestMethod]
    public void TrainingContinuesFromAnAdapterOfTheSameShape()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string data = folder.Write("pairs.tsv", Pairs);
        Succeeds(["train", "--model", model, "--data", data, "--output", folder.File("first"), .. Small]);
        Succeeds(["train", "--model", model, "--data", data, "--output", folder.File("second"), "--adapter", folder.File("first"), "--batch-size", "2", "--steps", "1", "--learning-rate", "1e-30"]);
        CollectionAssert.AreEqual(
            File.ReadAllBytes(Path.Combine(folder.File("first"), "adapter_model.safetensors")), File.ReadAllBytes(Path.Combine(folder.File("second"), "adapter_model.safetensors")));
        ToolRun other = ToolRun.Of("train", "--data", data, "--output", folder.File("third"), "--adapter", folder.File("first"), "--batch-size", "2", "--steps", "1");
        Assert.AreNotEqual(0, other.ExitCode);
        StringAssert.Contains(other.Error, "base model");
    }

    [TestMethod]
    [DataRow("--adapter out --lora-rank 4", 2, "--lora-rank")]
    [DataRow("--base-scheme blockwise-dynamic", 1, "quantised already")]
    [DataRow("--gpu 99", 1, "--gpu is 99")]
    public void WhatCannotBeHadIsRefusedBeforeTraining(string arguments, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), .. arguments.Split(' ')]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    [TestMethod]
    public void PairsWithoutAScoreAreLeftOutOfTheEvaluationAndRefusedAsLabels()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string data = folder.Write("pairs.tsv", Pairs);
        string scored = folder.Write("scored.tsv", "sentence1\tsentence2\tscore\nab\tcd\t1\nef\tgh\t\nij\tkl\t3\nace\tbdf\t2\n");
        ToolRun run = Succeeds(["train", "--model", model, "--data", data, "--output", folder.File("out"), "--eval", scored, .. Small]);
        StringAssert.Contains(run.Error, $"1 pair(s) of '{scored}' have no score and are left out.");
        ToolRun refused = ToolRun.Of(["train", "--model", model, "--data", scored + ",loss=cosent", "--output", folder.File("other"), .. Small]);
        Assert.AreNotEqual(0, refused.ExitCode);
        StringAssert.Contains(refused.Error, "Line 3");
    }

    [TestMethod]
    public void ALabelThatTheLossCannotUseIsToldWithItsFile()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string scored = folder.Write("scored.tsv", "sentence1\tsentence2\tscore\nab\tcd\t1\nef\tgh\t0.5\nij\tkl\t3\nace\tbdf\t0\n");
        ToolRun run = ToolRun.Of(["train", "--model", model, "--data", folder.Write("pairs.tsv", Pairs), "--data", scored + ",loss=cosine", "--output", folder.File("out"), .. Small]);
        Assert.AreNotEqual(0, run.ExitCode);
        StringAssert.Contains(run.Error, $"Line 4 of '{scored}' has 3 in its column 'score'");
    }

    private static ToolRun Succeeds(string[] arguments)
    {
        ToolRun run = ToolRun.Of(arguments);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        return run;
    }
}
