using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class OptionMessageTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";
    private const string Scored = "sentence1\tsentence2\tscore\nab\tcd\t1\nef\tgh\t0\nij\tkl\t5\nace\tbdf\t2\n";

    // Names of the library and of .NET, which nobody who types a command knows.
    private static readonly string[] Foreign =
        ["Parameter", "Actual value", "GpuDeviceId", "FallbackToCpu", "ThreadCount", "MatryoshkaDimensions", "CosineSimilarity", "CoSent", "Softmax", "'Label'", "embeddings"];

    [TestMethod]
    [DataRow("--gpu 99", ExitCode.Failed, "--gpu is 99")]
    [DataRow("--gpu 99", ExitCode.Failed, "Leave --gpu out")]
    [DataRow("--gpu -1", ExitCode.Usage, "--gpu is -1")]
    [DataRow("--data pairs.tsv,weight=2", ExitCode.Usage, "weight= is given in 1 of 2 --data")]
    [DataRow("--matryoshka 400", ExitCode.Usage, "--matryoshka is [400]; it must be dimensions of at most 384")]
    [DataRow("--matryoshka 400 --dry-run", ExitCode.Usage, "--matryoshka is [400]; it must be dimensions of at most 384")]
    [DataRow("--data scored.tsv,loss=cosine", ExitCode.Failed, "Line 4 of 'scored.tsv' has 5 in its column 'score'; the loss cosine needs a similarity from -1 to 1")]
    [DataRow("--data scored.tsv,loss=cosine", ExitCode.Failed, "choose the loss cosent")]
    [DataRow("--data scored.tsv,loss=contrastive", ExitCode.Failed, "the loss contrastive needs 0 or 1")]
    [DataRow("--data same.tsv,loss=softmax", ExitCode.Failed, "the loss softmax needs at least 2")]
    [DataRow("--data pairs.tsv,loss=mse", ExitCode.Usage, "has the loss mse and no teacher")]
    [DataRow("--eval pairs.tsv", ExitCode.Usage, "Rename its columns to sentence1, sentence2, score.")]
    public void TrainSpeaksOfItsOwnOptions(string arguments, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("pairs.tsv", Pairs);
        folder.Write("scored.tsv", Scored);
        folder.Write("same.tsv", Scored.Replace("\t1\n", "\t0\n", StringComparison.Ordinal).Replace("\t5\n", "\t0\n", StringComparison.Ordinal).Replace("\t2\n", "\t0\n", StringComparison.Ordinal));
        ToolRun run = ToolProcess.Run(folder.Path, "", ["train", "--data", "pairs.tsv", "--output", "out", "--batch-size", "2", "--steps", "1", .. arguments.Split(' ')]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Knows(run.Error);
        if (arguments.Contains("--eval", StringComparison.Ordinal))
        {
            Assert.DoesNotContain("--columns", run.Error);
        }
    }

    [TestMethod]
    public void AFolderWithAnEarlierRunAsksForResume()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string[] command = ["train", "--model", model, "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), "--batch-size", "2", "--lora-rank", "2", "--steps", "1"];
        Assert.AreEqual(0, ToolRun.Of(command).ExitCode);
        ToolRun again = ToolRun.Of(command);
        Assert.AreEqual(ExitCode.Failed, again.ExitCode, again.Error);
        StringAssert.Contains(again.Error, "Continue it with --resume, or give --output another name.");
    }

    [TestMethod]
    [DataRow("--threads 300", "--threads is 300; it must be from 1 to 256.")]
    [DataRow("--threads 0", "--threads is 0; it must be from 1 to 256.")]
    [DataRow("--dim 500", "--dim is 500; it must be at most 384")]
    public void EmbedSpeaksOfItsOwnOptions(string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.Run(folder.Path, "a\n", ["embed", "-i", "-", "-o", "-", .. arguments.Split(' ')]);
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Knows(run.Error);
    }

    [TestMethod]
    public void ATooLongTextNamesTheOptionsThatLetItBe()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolProcess.Run(folder.Path, "one two three four five six seven\n", "embed", "-i", "-", "-o", "-", "--max-tokens", "2", "--long-text", "throw");
        Assert.AreEqual(ExitCode.Failed, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "raise --max-tokens, or choose --long-text truncate or window");
    }

    [TestMethod]
    public void UnknownKernelsAreAnsweredWithEveryNameThatIsTaken()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("pack", "--output", folder.File("packed.lacos"), "--kernels", "foo");
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        foreach (string name in (string[])["'foo'", "scalar", "this-machine", "none"])
        {
            StringAssert.Contains(run.Error, name);
        }
        Knows(run.Error);
    }

    [TestMethod]
    [DataRow("--weak-below 5", "--weak-below is 5; it must be from -1 to 1.")]
    [DataRow("--weak-below NaN", "--weak-below is NaN; it must be from -1 to 1.")]
    [DataRow("--max-tokens 2000000", "--max-tokens is 2000000; it must be from 1 to 1000000.")]
    public void QuantizeRefusesWhatNoReaderTakesAndWritesNothing(string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.SentenceTransformers().WriteTo(Directory.CreateDirectory(folder.File("model")).FullName);
        string scores = folder.Write("scores.json", """{"sets":[{"language":"en","set":"a","pairs":1,"after":0.7}]}""");
        ToolRun run = ToolRun.Of(["quantize", "-m", model, "-o", folder.File("m.lacos"), "--scores", scores, .. arguments.Split(' ')]);
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.IsFalse(File.Exists(folder.File("m.lacos")));
    }

    [TestMethod]
    public void MiningGivesAtMostAsManyNegativesAsTrainingTakesAndBothHelpsSaySo()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("mine", "--data", folder.Write("p.tsv", Pairs), "--output", folder.File("o.tsv"), "--negatives", "9");
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "--negatives is 9; it must be from 1 to 8.");
        StringAssert.Contains(Help("mine"), "At most 8");
        StringAssert.Contains(Help("train"), "up to 8 hard negatives");
    }

    [TestMethod]
    public void ADefaultIsPrintedOnce() => Assert.HasCount(2, Help("mine").Split("0.05"));

    private static void Knows(string message)
    {
        foreach (string name in Foreign)
        {
            Assert.DoesNotContain(name, message);
        }
    }

    // In one line, wherever the help breaks them.
    private static string Help(string command) => string.Join(' ', ToolRun.Of(command, "--help").Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
