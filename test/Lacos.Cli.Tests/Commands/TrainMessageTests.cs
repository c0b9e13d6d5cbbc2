using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainMessageTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";
    private const string Scored = "sentence1\tsentence2\tscore\nab\tcd\t1\nef\tgh\t1\nij\tkl\t1\n";

    [TestMethod]
    [DataRow("--data nowhere.tsv", ExitCode.Failed, "There is no file 'nowhere.tsv'. Name a .tsv, .csv or .jsonl file")]
    [DataRow("--data nowhere", ExitCode.Failed, "There is no file 'nowhere'.")]
    [DataRow("--data -", ExitCode.Failed, "There is no file '-'.")]
    [DataRow("--data folder", ExitCode.Failed, "'folder' is a folder.")]
    [DataRow("--data pairs", ExitCode.Usage, "The name 'pairs' does not tell its format: it ends in neither .txt, .tsv, .csv, .jsonl (each also with .gz), .parquet nor .arrow, .arrows, .feather. Rename it.")]
    [DataRow("--data pairs.tsv,weight", ExitCode.Usage, "has the setting 'weight' without a value. Write it as weight=VALUE.")]
    [DataRow("--data pairs.tsv,loss,weight=2", ExitCode.Usage, "has the setting 'loss' without a value.")]
    [DataRow("--data pairs.tsv --eval nowhere", ExitCode.Failed, "There is no file 'nowhere'.")]
    [DataRow("--data scored.tsv --loss cosent", ExitCode.Failed, "the loss cosent learns from their order. Give pairs of different similarity, or choose the loss mnr.")]
    [DataRow("--data scored.tsv --loss angle", ExitCode.Failed, "or choose the loss mnr.")]
    [DataRow("--data texts.tsv,loss=mse,teacher=model", ExitCode.Usage, "--data has the teacher 'model': the loss mse expected a teacher's vector of 384 Single, got Vector<Single, 8>. Give another model as teacher=, one whose vectors have that length.")]
    public void AdviceCanBeFollowed(string arguments, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        TinyModel.OfLetters().WriteTo(folder.File("model"));
        Directory.CreateDirectory(folder.File("folder"));
        folder.Write("pairs", Pairs);
        folder.Write("pairs.tsv", Pairs);
        folder.Write("scored.tsv", Scored);
        folder.Write("texts.tsv", "text\nab\ncd\nef\n");
        ToolRun run = ToolProcess.Run(folder.Path, "", ["train", "--output", "out", "--steps", "1", .. arguments.Split(' ')]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.DoesNotContain("--format", run.Error);
    }

    [TestMethod]
    public void APipeIsRefusedInsteadOfWaitedFor()
    {
        using var folder = new TemporaryFolder();
        SpecialFile.Pipe(folder.File("pipe.tsv"));
        ToolRun run = ToolProcess.Run(folder.Path, "", "train", "--data", "pipe.tsv", "--output", "out", "--steps", "1");
        Assert.AreEqual(ExitCode.Failed, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "'pipe.tsv' is a pipe, which can be read only once");
    }

    [TestMethod]
    public void AFolderThatCannotBeMadeIsNamedWithWhatToDo()
    {
        using var folder = new TemporaryFolder();
        string output = Path.Combine(folder.Write("file", "x"), "out");
        ToolRun run = ToolRun.Of("train", "--model", TinyModel.OfLetters().WriteTo(folder.File("model")), "--data", folder.Write("pairs.tsv", Pairs), "--output", output, "--steps", "1");
        Assert.AreEqual(ExitCode.Failed, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, $"The folder '{output}' cannot be made");
        StringAssert.Contains(run.Error, "Name one in which files can be written.");
    }
}
