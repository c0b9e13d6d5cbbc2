namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class DamagedVectorTests
{
    [TestMethod]
    [DataRow("embed -i F/texts.txt -o F/v.npy", float.NaN, "Text 5000 of ")]
    [DataRow("embed -i F/texts.txt -o F/v.npy --precision int8", float.NaN, "Text 5000 of ")]
    [DataRow("embed -i F/texts.txt -o F/v.npy --precision binary", float.NegativeInfinity, "Text 5000 of ")]
    [DataRow("embed -i F/texts.txt -o F/v.jsonl", float.PositiveInfinity, "Text 5000 of ")]
    [DataRow("similarity good bad", float.NaN, "Text 2, ")]
    [DataRow("eval -d F/scored.tsv", float.NaN, "Line 3 of ")]
    [DataRow("mine -d F/pairs.tsv -o F/o.tsv", float.NaN, "The text 'bad'")]
    public void AVectorThatIsNoneIsAnErrorThatNamesItsTextAndLeavesNoFile(string commandLine, float value, string place)
    {
        using var folder = new TemporaryFolder();
        folder.Write("texts.txt", string.Concat(Enumerable.Repeat("good\n", 5000)) + "bad\n");
        folder.Write("scored.tsv", "sentence1\tsentence2\tscore\na\tb\t1\nc\tbad\t2\n");
        folder.Write("pairs.tsv", "anchor\tpositive\nab\tc d\nef\tbad\ng\thij\n");
        string[] before = [.. folder.FileNames];
        var models = new FakeModels { Damage = ("bad", value) };
        ToolRun run = ToolRun.Of(models, "", default, [.. commandLine.Split(' ').Select(part => part.Replace("F/", folder.Path + "/", StringComparison.Ordinal))]);
        Assert.AreEqual(1, run.ExitCode, run.Output);
        StringAssert.Contains(run.Error, place);
        StringAssert.Contains(run.Error, "at element 11. The weights of the model are damaged");
        Assert.AreEqual("", run.Output);
        CollectionAssert.AreEqual(before, folder.FileNames.ToArray());
    }
}
