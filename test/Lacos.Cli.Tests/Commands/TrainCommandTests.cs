using System.Globalization;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainCommandTests
{
    private static readonly string Pairs = "anchor\tpositive\tnegative\n"
        + string.Concat(Enumerable.Range(0, 14).Select(i => string.Create(CultureInfo.InvariantCulture, $"A dog runs {i}.\tSome animal moves {i}.\tNobody is there {i}.\n")));

    private static readonly string[] Small = ["--batch-size", "4", "--lora-rank", "2", "--steps", "6"];

    [TestMethod]
    public void StoppedAndResumedTrainingLeavesTheSameAdapterByteForByteAndAModel()
    {
        using var folder = new TemporaryFolder();
        string data = folder.WriteGzip("pairs.tsv.gz", Pairs);
        Succeeds(["train", "--data", data, "--output", folder.File("whole"), .. Small]);
        Succeeds(["train", "--data", data, "--output", folder.File("parts"), .. Small, "--stop-at", "3"]);
        Succeeds(["train", "--data", data, "--output", folder.File("parts"), .. Small, "--resume"]);
        foreach (string name in new[] { "adapter_model.safetensors", "adapter_config.json", "model.lacos" })
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(folder.File("whole"), name)), File.ReadAllBytes(Path.Combine(folder.File("parts"), name)), name);
        }
        Assert.HasCount(6, File.ReadAllLines(Path.Combine(folder.File("parts"), "train-log.jsonl")));
        using LacosModel model = LacosModel.Load(Path.Combine(folder.File("parts"), "model.lacos"));
        using LacosModel untrained = LacosModel.LoadDefault();
        Assert.AreNotEqual(untrained.Fingerprint, model.Fingerprint);
    }

    [TestMethod]
    public void ADryRunSaysStepsAndMemoryAndTrainsNothing()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = Succeeds(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), "--batch-size", "7", "--epochs", "2", "--dry-run"]);
        StringAssert.Contains(run.Output, "4, 2 an epoch, 4 to make");
        Assert.DoesNotContain("0.00:00:00", run.Output);
        StringAssert.Contains(run.Output, "memory");
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    [TestMethod]
    public void FoldersThatWouldBeLostAreRefusedBeforeTheTraining()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", Pairs);
        Refused("--export-folder and --output", "--output", folder.File("out"), "--export-folder", folder.File("out") + Path.DirectorySeparatorChar);
        Directory.CreateDirectory(folder.File("model"));
        File.WriteAllText(Path.Combine(folder.File("model"), "model.lacos"), "somebody's");
        Refused("'model.lacos' and no checkpoints", "--output", folder.File("model"));
        Refused("'model.lacos' and no checkpoints", "--output", folder.File("model"), "--resume");
        Assert.AreEqual("somebody's", File.ReadAllText(Path.Combine(folder.File("model"), "model.lacos")));
        Assert.IsFalse(Directory.Exists(folder.File("out")));

        void Refused(string words, params string[] options)
        {
            ToolRun run = ToolRun.Of(["train", "--data", data, .. Small, .. options]);
            Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
            StringAssert.Contains(run.Error, words);
        }
    }

    [TestMethod]
    public void MessagesNameTheOptionsOfTheCommandLineAndThoseWithoutEffect()
    {
        using var folder = new TemporaryFolder();
        string[] command = ["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), "--dry-run"];
        StringAssert.Contains(Refused("--learning-rate", "NaN"), "lacos: --learning-rate is NaN; it must be");
        StringAssert.Contains(Refused("--warmup", "7"), "lacos: --warmup is 7; it must be");
        StringAssert.Contains(Refused("--matryoshka", "64,64"), "lacos: --matryoshka is [64, 64]; it must be");
        StringAssert.Contains(Refused("--lora-dropout", "1"), "lacos: --lora-dropout is 1; it must be");
        ToolRun idle = Succeeds([.. command, "--patience", "3", "--exclude-eval", "--steps", "4", "--epochs", "2"]);
        StringAssert.Contains(idle.Error, "--patience has no effect without --eval");
        StringAssert.Contains(idle.Error, "--exclude-eval has no effect without --eval");
        StringAssert.Contains(idle.Error, "--epochs has no effect beside --steps");
        Assert.DoesNotContain("no effect", Succeeds([.. command, "--steps", "4"]).Error);

        string Refused(params string[] options)
        {
            ToolRun run = ToolRun.Of([.. command, .. options]);
            Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
            Assert.DoesNotContain("Parameter", run.Error);
            return run.Error;
        }
    }

    [TestMethod]
    public void RowsThatLackATextAreLeftOutAndCounted()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", Pairs + "A cat sleeps.\tAn animal rests.\t\n\tNothing before.\tNo.\n");
        ToolRun run = Succeeds(["train", "--data", data, "--output", folder.File("out"), "--dry-run"]);
        StringAssert.Contains(run.Error, "2 row(s)");
        StringAssert.Contains(run.Output, "14, 42 different texts");
    }

    [TestMethod]
    public void NumberedNegativesAreAllTrainedOn()
    {
        using var folder = new TemporaryFolder();
        string numbered = Pairs.Replace("\tnegative\n", "\tnegative_1\n", StringComparison.Ordinal).Replace(".\n", ".\tIt is dark.\n", StringComparison.Ordinal).Replace("negative_1\n", "negative_1\tnegative_2\n", StringComparison.Ordinal);
        string data = folder.Write("pairs.tsv", numbered);
        ToolRun usual = Succeeds(["train", "--data", data, "--output", folder.File("out"), "--dry-run"]);
        StringAssert.Contains(usual.Output, "14, 43 different texts");
        ToolRun named = Succeeds(["train", "--data", data, "--columns", "anchor,positive,negative_2", "--output", folder.File("out"), "--dry-run"]);
        StringAssert.Contains(named.Output, "14, 29 different texts");
    }

    [TestMethod]
    public void SeveralFilesAreMixedEachWithItsOwnLossAndTeacher()
    {
        using var folder = new TemporaryFolder();
        string scored = folder.Write("scored.tsv", "score\tsentence1\tsentence2\n" + string.Concat(Enumerable.Range(0, 9).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i % 4}\tA cat {i}.\tA pet {i}.\n"))));
        string texts = folder.Write("texts.tsv", "lang\ttext\n" + string.Concat(Enumerable.Range(0, 8).Select(i => string.Create(CultureInfo.InvariantCulture, $"en\tIt rains {i}.\n"))));
        string judged = folder.Write("judged.tsv", "score\tsentence1\tsentence2\n1\tA dog.\tA pet.\n0\tA dog.\tA car.\n2\tA cat 1.\tA pet 1.\n");
        Succeeds([
            "train", "--data", $"{folder.Write("pairs.tsv", Pairs)},weight=2,directions=both", "--data", $"{scored},loss=cosent,weight=1", "--data", $"{texts},loss=mse,teacher=base,weight=1,rows=6,balance=lang",
            "--output", folder.File("out"), "--batch-size", "4", "--lora-rank", "2", "--steps", "8", "--eval", judged, "--eval", scored.Replace("scored", "judged", StringComparison.Ordinal), "--exclude-eval", "--matryoshka", "384,96", "--optimizer", "adamw", "--bucket"]);
        string log = File.ReadAllText(Path.Combine(folder.File("out"), "train-log.jsonl"));
        Assert.HasCount(4, log.Split("pairs.tsv")[1..]);
        Assert.HasCount(2, log.Split("texts.tsv")[1..]);
    }

    [TestMethod]
    public void SettingsOfOneFileAreNotThoseOfAnother()
    {
        using var folder = new TemporaryFolder();
        const string Letters = "anchor\tpositive\tlang\nab\tcd\ten\nef\tgh\ten\nij\tkl\tde\nace\tbdf\tde\n";
        Succeeds([
            "train", "--model", TinyModel.OfLetters().WriteTo(folder.File("model")), "--data", $"{folder.Write("first.tsv", Letters)},scale=50,directions=both,margin=0.7,batch-size=2,balance=lang,balance-power=0",
            "--data", folder.Write("second.tsv", Letters), "--batch-size", "4", "--steps", "1", "--output", folder.File("out")]);
        string manifest = File.ReadAllText(Directory.GetFiles(Path.Combine(folder.File("out"), "checkpoints"), "manifest.json", SearchOption.AllDirectories).Single());
        StringAssert.Contains(manifest, "MultipleNegativesRanking x 1 50 True 0.7; MultipleNegativesRanking x 1 20 False 0.5 []");
        StringAssert.Contains(manifest, "2 4 in chunks of 32");
        StringAssert.Contains(manifest, "by size balanced 0; by size\"");
    }

    [TestMethod]
    public void TextsAndATeacherAloneCanBeTrainedOnAndJudgedOnPairs()
    {
        using var folder = new TemporaryFolder();
        string texts = folder.Write("texts.tsv", "text\n" + string.Concat(Enumerable.Range(0, 8).Select(i => string.Create(CultureInfo.InvariantCulture, $"It rains {i}.\n"))));
        string judged = folder.Write("judged.tsv", "score\tsentence1\tsentence2\n1\tA dog.\tA pet.\n0\tA dog.\tA car.\n2\tA cat 1.\tA pet 1.\n");
        Succeeds(["train", "--data", $"{texts},loss=mse,teacher=base", "--output", folder.File("out"), "--batch-size", "4", "--lora-rank", "2", "--steps", "2", "--eval", judged, "--exclude-eval"]);
        string[] log = File.ReadAllLines(Path.Combine(folder.File("out"), "train-log.jsonl"));
        Assert.HasCount(2, log);
        StringAssert.Contains(log[1], "spearman");
    }

    [TestMethod]
    public void EvaluationPairsAreTakenAsEvalTakesThem()
    {
        using var folder = new TemporaryFolder();
        string judged = folder.Write("judged.tsv", "score\tsentence1\tsentence2\n1\tA dog.\tA pet.\n0\tA dog.\t\n2\tA cat 1.\tA pet 1.\nNaN\tA cat.\tA pet.\n\tA cat.\tA pet.\n");
        ToolRun run = Succeeds(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), .. Small, "--eval", judged]);
        Assert.DoesNotContain("lack a text", run.Error);
        StringAssert.Contains(run.Error, "2 pair(s)");
        string[] log = File.ReadAllLines(Path.Combine(folder.File("out"), "train-log.jsonl"));
        StringAssert.Contains(log[^1], "spearman");
    }

    [TestMethod]
    public void ASignalEndsTrainingAfterACheckpoint()
    {
        using var folder = new TemporaryFolder();
        using var signal = new CancellationTokenSource();
        string data = folder.Write("pairs.tsv", Pairs);
        var log = new FileInfo(Path.Combine(folder.File("out"), "train-log.jsonl"));

        // After the first step, and not after a time: a busy machine may still be reading then.
        var watch = new Thread(() =>
        {
            for (int turn = 0; turn < 1200 && !(log.Exists && log.Length > 0); turn++, log.Refresh())
            {
                Thread.Sleep(50);
            }
            signal.Cancel();
        });
        watch.Start();
        Assert.ThrowsExactly<OperationCanceledException>(() => ToolRun.Of(new FakeModels(), "", signal.Token, "train", "--data", data, "--output", folder.File("out"), "--batch-size", "4", "--steps", "100000"));
        watch.Join();
        Assert.HasCount(1, Directory.GetDirectories(Path.Combine(folder.File("out"), "checkpoints")).Where(path => Path.GetFileName(path).StartsWith("step-", StringComparison.Ordinal)).TakeLast(1));
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("out"), "model.lacos")));
    }

    [TestMethod]
    [DataRow("--loss cosent", "--columns")]
    [DataRow("--columns anchor", "at least two")]
    [DataRow("--columns anchor,nobody", "nobody")]
    [DataRow("--lora-targets head", "--lora-targets is [head]")]
    [DataRow("--learning-rate -1", "--learning-rate is -1")]
    [DataRow("--loss mse", "teacher")]
    [DataRow("--matryoshka 3,x", "'x'")]
    [DataRow("--data other.tsv,weights=2", "weights")]
    public void ACommandLineThatCannotBeTrainedEndsWith2(string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), .. arguments.Split(' ')]);
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    private static ToolRun Succeeds(string[] arguments)
    {
        ToolRun run = ToolRun.Of(arguments);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        return run;
    }
}
