namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TokenizeCommandTests
{
    [TestMethod]
    public void EveryTextGivesOneArrayOfIds()
    {
        ToolRun run = ToolRun.Of(new FakeModels(), "ab\n\nc\n", default, "tokenize", "--input", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("[97,98]\n[]\n[99]\n", run.Output);
        Assert.AreEqual("", run.Error);
    }

    [TestMethod]
    public void IdsGoToAFileWhenOneIsNamed()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("tokenize", "-i", folder.Write("t.csv", "n,text\n1,ab\n"), "-o", folder.File("ids.jsonl"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual("[97,98]\n", File.ReadAllText(folder.File("ids.jsonl")));
        Assert.AreEqual("", run.Output);
    }
}
