using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainClassesTests
{
    private const string Tabs = "label\ttext\nx y\tab\nx y\tcd\nz\tef\nz\tgh\nz\tij\n";
    private const string Commas = "text,label\nab,x y\ncd,x y\nef,z\ngh,z\nij,z\n";
    private const string Lines = """
        {"sentence":"ab","label":"x y"}
        {"sentence":"cd","label":"x y"}
        {"sentence":"ef","label":"z"}
        {"sentence":"gh","label":"z"}
        {"sentence":"ij","label":"z"}
        """;

    private const string Pairs = "sentence1\tsentence2\tscore\nab\tcd\t1\nef\tgh\t0\nij\tkl\t2\n";

    [TestMethod]
    [DataRow("texts.tsv", Tabs)]
    [DataRow("texts.csv", Commas)]
    [DataRow("texts.jsonl", Lines)]
    public void TextsAndTheirClassesAreMadeIntoPairsAndLeaveWhatPairsLeave(string name, string content)
    {
        using var folder = new TemporaryFolder();
        Train(folder, ExitCode.Success, folder.Write(name, content), "--steps", "2", "--batch-size", "2", "--lora-rank", "2");
        foreach (string file in new[] { "adapter_config.json", "adapter_model.safetensors", "model.lacos", "train-log.jsonl", "train-curves.png" })
        {
            Assert.IsTrue(File.Exists(Path.Combine(folder.File("out"), file)), file);
        }
        Assert.HasCount(2, File.ReadAllLines(Path.Combine(folder.File("out"), "train-log.jsonl")));
    }

    [TestMethod]
    public void MorePairsPerTextAreMorePairs()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("texts.tsv", Tabs);
        Assert.AreEqual(3 * Rows("2"), Rows("6"));

        int Rows(string count) => int.Parse(Train(folder, ExitCode.Success, data, "--loss", "contrastive", "--pairs-per-text", count, "--dry-run").Output.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    [TestMethod]
    public void TheAdapterIsJudgedOnTextsAndTheirClasses()
    {
        using var folder = new TemporaryFolder();
        string eval = folder.Write("eval.tsv", Tabs.Replace("ij", "kl", StringComparison.Ordinal));
        ToolRun run = Train(folder, ExitCode.Success, folder.Write("texts.tsv", Tabs), "--steps", "1", "--batch-size", "2", "--lora-rank", "2", "--eval", eval);
        StringAssert.Contains(File.ReadAllText(Path.Combine(folder.File("out"), "train-log.jsonl")), "spearman");
        StringAssert.Contains(run.Error, "4 training row(s) stand in the validation set too");
    }

    [TestMethod]
    [DataRow("intent\tutterance", "intent", null)]
    [DataRow("label\tid", "0", null)]
    [DataRow("intent\tutterance", "intent", "utterance")]
    [DataRow("intent\ttext", "0", "1")]
    public void ClassesAreTakenFromTheColumnThatIsNamed(string header, string classes, string? texts)
    {
        using var folder = new TemporaryFolder();
        string[] columns = texts is null ? [] : ["--columns", texts];
        string usual = Train(folder, ExitCode.Success, folder.Write("usual.tsv", Tabs), "--dry-run").Output;
        string named = Tabs.Replace("label\ttext", header, StringComparison.Ordinal);
        string eval = folder.Write("eval.tsv", named.Replace("ij", "kl", StringComparison.Ordinal));
        ToolRun run = Train(folder, ExitCode.Success, folder.Write("named.tsv", named), [.. columns, "--class-column", classes, "--eval", eval, "--dry-run"]);
        Assert.AreEqual(usual.Split(',')[0], run.Output.Split(',')[0]);
        StringAssert.Contains(run.Error, "4 training row(s) stand in the validation set too");
    }

    [TestMethod]
    public void RowsWithoutAClassAreLeftOutAndCounted()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("texts.tsv", Tabs + "\tkl\n");
        StringAssert.Contains(Train(folder, ExitCode.Success, data, "--dry-run").Error, "1 row(s) have no label and are left out.");
    }

    [TestMethod]
    [DataRow("--data pairs.tsv,loss=cosent", "'texts.tsv' has texts and their classes, which are trained on alone, and there are 2 --data.")]
    [DataRow("--eval pairs.tsv", "--eval 'pairs.tsv' has pairs, and --data has texts and their classes.")]
    [DataRow("--eval texts.tsv --eval texts.tsv", "There are 2 --eval; texts and their classes are judged on one file.")]
    public void WhatDoesNotGoWithClassesIsRefused(string arguments, string expected) => Refused("texts.tsv", arguments, expected);

    [TestMethod]
    [DataRow("texts.tsv", "--pairs-per-text 2000000000", "--pairs-per-text is 2000000000, which makes")]
    [DataRow("texts.tsv,balance=label", "", "balance 'label'")]
    [DataRow("pairs.tsv", "--eval texts.tsv", "--eval 'texts.tsv' has texts and their classes, and --data has pairs.")]
    [DataRow("other.tsv", "", "texts and their classes are looked for in 'text' and 'label', or name theirs with --class-column")]
    [DataRow("texts.tsv", "--class-column intent", "no column 'intent'")]
    [DataRow("texts.tsv", "--class-column text", "both in the column 'text'")]
    [DataRow("texts.tsv", "--class-column label --columns text,label", "2 names, and --class-column is 'label'")]
    [DataRow("wide.tsv", "--class-column label", "Say which column has them with --columns.")]
    [DataRow("texts.tsv,loss=mse,teacher=base", "--class-column label", "the loss mse, which learns from a teacher")]
    public void FilesOfAnotherKindAreRefused(string data, string arguments, string expected) => Refused(data, arguments, expected);

    [TestMethod]
    public void PairsNeedNoPairsPerText()
    {
        using var folder = new TemporaryFolder();
        StringAssert.Contains(Train(folder, ExitCode.Success, folder.Write("pairs.tsv", Pairs), "--pairs-per-text", "2", "--dry-run").Error, "--pairs-per-text has no effect on pairs");
    }

    private static void Refused(string data, string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("texts.tsv", Tabs);
        folder.Write("pairs.tsv", Pairs);
        folder.Write("wide.tsv", "a\tb\tlabel\nx\ty\tz\n");
        folder.Write("other.tsv", Tabs.Replace("text", "utterance", StringComparison.Ordinal));
        ToolRun run = ToolProcess.Run(folder.Path, "", ["train", "--data", data, "--output", "out", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    private static ToolRun Train(TemporaryFolder folder, int exitCode, string data, params string[] options)
    {
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        ToolRun run = ToolRun.Of(["train", "--model", model, "--data", data, "--output", folder.File("out"), .. options]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        return run;
    }
}
