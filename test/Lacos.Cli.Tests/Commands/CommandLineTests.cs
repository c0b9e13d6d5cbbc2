using Lacos.Cli.Terminal;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class CommandLineTests
{
    [TestMethod]
    [DataRow("", "Required command")]
    [DataRow("embed", "--input")]
    [DataRow("embed --input a.txt", "--output")]
    [DataRow("embed -i a.txt -o b.npy --precision float16", "float16")]
    [DataRow("embed -i a.txt -o b.npy --dim 0", "at least 1")]
    [DataRow("embed -i a.txt -o b.npy --dim many", "many")]
    [DataRow("embed -i a.txt -o b.npy --pooling mean,median", "mean,median")]
    [DataRow("embed -i a.txt -o b.npy --normalize --no-normalize", "contradict")]
    [DataRow("embed -i a.txt -o b.npy --no-such-option", "--no-such-option")]
    [DataRow("similarity one", "texts")]
    [DataRow("fly", "fly")]
    public void ACommandLineWithoutSenseEndsWith2AndSaysWhyOnStandardErrorOnly(string line, string expected)
    {
        ToolRun run = ToolRun.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.AreEqual(2, run.ExitCode, run.Error);
        Assert.AreEqual("", run.Output);
        StringAssert.Contains(run.Error, expected);
        StringAssert.Contains(run.Error, "--help");
    }

    [TestMethod]
    [DataRow("--help", "embed")]
    [DataRow("embed --help", "--precision")]
    [DataRow("eval -h", "--columns")]
    [DataRow("--version", "0.")]
    public void HelpAndVersionGoToStandardOutput(string line, string expected)
    {
        ToolRun run = ToolRun.Of(line.Split(' '));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("", run.Error);
        StringAssert.Contains(run.Output, expected);
    }

    [TestMethod]
    public void AnOptionThatDoesNotFitTheModelIsAUsageError()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), "a\n", default, "embed", "-i", "-", "-o", "-", "--dim", "13");
        Assert.AreEqual(2, run.ExitCode);
        StringAssert.Contains(run.Error, "at most 12");
    }

    [TestMethod]
    public void AFileThatIsNotThereIsAFailure()
    {
        ToolRun run = ToolRun.Of("embed", "-i", "no-such-file.txt", "-o", "-");
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "no-such-file.txt");
        Assert.AreEqual("", run.Output);
    }

    [TestMethod]
    public void ALibraryThatIsNotThereIsAFailureWithItsAdviceAlone()
    {
        var error = new StringWriter { NewLine = "\n" };
        using var streams = new ToolStreams(Stream.Null, Stream.Null, error, errorIsTerminal: false);
        Assert.AreEqual(1, LacosTool.Report(new DllNotFoundException("There is no libtorch. Add one."), streams));
        Assert.AreEqual("lacos: There is no libtorch. Add one.\n", error.ToString());
    }
}
