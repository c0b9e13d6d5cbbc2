using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class MineCommandTests
{
    private static readonly string Pairs = "anchor\tpositive\tlanguage\n"
        + string.Concat(Enumerable.Range(0, 30).Select(i => string.Create(CultureInfo.InvariantCulture, $"question {i % 20}\tanswer {i * i % 23} of {i}\tl{i}\n")));

    [TestMethod]
    public void EachRowGetsTextsOfOtherAnchorsAndKeepsItsColumns()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("mine", "--data", folder.WriteGzip("p.tsv.gz", Pairs), "--output", folder.File("o.tsv.gz"), "--negatives", "2", "--relative-margin", "0");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[][] rows = [.. Unpacked(folder.File("o.tsv.gz")).TrimEnd('\n').Split('\n').Select(line => line.Split('\t'))];
        CollectionAssert.AreEqual(new[] { "anchor", "positive", "language", "negative_1", "negative_2" }, rows[0]);
        Assert.IsGreaterThan(10, rows.Length);
        ILookup<string, string> own = Pairs.TrimEnd('\n').Split('\n').Skip(1).Select(line => line.Split('\t')).ToLookup(fields => fields[0], fields => fields[1]);
        foreach (string[] row in rows.Skip(1))
        {
            StringAssert.StartsWith(row[2], "l");
            CollectionAssert.Contains(own[row[0]].ToArray(), row[1]);
            Assert.IsFalse(own[row[0]].Contains(row[3]) || own[row[0]].Contains(row[4]), string.Join('|', row));
            Assert.AreNotEqual(row[3], row[4]);
        }
        CollectionAssert.AreEqual(new[] { "o.tsv.gz", "p.tsv.gz" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void TheSameCommandWritesTheSameBytesAndMinedNegativesAreReplaced()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["mine", "--relative-margin", "0", "--range", "5", "--seed", "3"];
        Assert.AreEqual(0, ToolRun.Of([.. arguments, "--data", folder.Write("p.tsv", Pairs), "--output", folder.File("a.tsv")]).ExitCode);
        ToolRun again = ToolRun.Of([.. arguments, "--data", folder.File("a.tsv"), "--output", folder.File("b.tsv")]);
        Assert.AreEqual(0, again.ExitCode, again.Error);
        StringAssert.Contains(again.Error, "negative");
        ToolRun.Of([.. arguments, "--data", folder.File("a.tsv"), "--output", folder.File("c.tsv")]);
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("b.tsv")), File.ReadAllBytes(folder.File("c.tsv")));
        StringAssert.StartsWith(File.ReadAllText(folder.File("b.tsv")), "anchor\tpositive\tlanguage\tnegative\n");
    }

    [TestMethod]
    public void AnAnchorIsNeverItsOwnNegative()
    {
        using var folder = new TemporaryFolder();
        string pairs = "anchor\tpositive\nabc\tdef\ndef\tabc\nxyz\tabc\nabc\tghi\n";
        ToolRun run = ToolRun.Of("mine", "--data", folder.Write("p.tsv", pairs), "--output", folder.File("o.tsv"), "--relative-margin", "0", "--max-score", "1");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        foreach (string[] row in File.ReadAllLines(folder.File("o.tsv")).Skip(1).Select(line => line.Split('\t')))
        {
            Assert.AreNotEqual(row[0], row[2]);
        }
    }

    [TestMethod]
    public void ATextThatATsvCannotHoldIsRefusedAndLeavesNoFileWhileJsonHoldsIt()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("p.csv", "anchor,positive\n\"a\nb\",b a\nxy,a b c\nq r,x y\n");
        ToolRun json = ToolRun.Of("mine", "--data", data, "--output", folder.File("o.jsonl"), "--relative-margin", "0");
        Assert.AreEqual(0, json.ExitCode, json.Error);
        StringAssert.Contains(File.ReadAllText(folder.File("o.jsonl")), "\"a\\nb\"");
        ToolRun run = ToolRun.Of("mine", "--data", data, "--output", folder.File("o.tsv"), "--relative-margin", "0");
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, ".jsonl");
        CollectionAssert.AreEqual(new[] { "o.jsonl", "p.csv" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    [DataRow(2, "--range", "--negatives 3 --range 2")]
    [DataRow(2, "--relative-margin", "--relative-margin 2")]
    [DataRow(2, "nobody", "--columns anchor,nobody")]
    [DataRow(2, "two names", "--columns anchor,positive,language")]
    public void ACommandLineThatMakesNoSenseEndsWith2(int exitCode, string expected, string arguments)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(["mine", "--data", folder.Write("p.tsv", Pairs), "--output", folder.File("o.tsv"), .. arguments.Split(' ')]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.IsFalse(File.Exists(folder.File("o.tsv")));
    }

    [TestMethod]
    public void EarlierNegativesAreReplacedWhateverTheCaseOfTheirName()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("mine", "--data", folder.Write("p.tsv", "anchor\tpositive\t Negative\nab\tcd\told\nef\tgh\told\nij\tkl\told\n"), "--output", folder.File("o.tsv"), "--relative-margin", "0", "--max-score", "1");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.StartsWith(File.ReadAllText(folder.File("o.tsv")), "anchor\tpositive\tnegative\n");
        Assert.DoesNotContain("old", File.ReadAllText(folder.File("o.tsv")));
    }

    [TestMethod]
    [DataRow("anchor\tnegative\tx\na\tb\tc\nd\te\tf\n", "o.tsv", "--columns anchor,negative", 2, "The column 'negative' of")]
    [DataRow("anchor\tpositive\tx\tx\na\tb\tc\td\ne\tf\tg\th\n", "o.jsonl", "--seed 1", 1, "There would be two columns 'x' in")]
    public void ColumnsThatTheOutputCannotTellApartAreRefused(string pairs, string output, string options, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(["mine", "--data", folder.Write("p.tsv", pairs), "--output", folder.File(output), .. options.Split(' ')]);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        CollectionAssert.AreEqual(new[] { "p.tsv" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void AFileWithASingleTextHasNoNegatives()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("mine", "--data", folder.Write("p.tsv", "anchor\tpositive\na\tb\nc\tb\n"), "--output", folder.File("o.tsv"));
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "1 different");
    }

    [TestMethod]
    [DataRow("o.xyz")]
    [DataRow("o.csv")]
    [DataRow("-")]
    public void AnOutputOfAnotherFormatIsAnsweredWithThoseThatCanBeWritten(string name)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("mine", "--data", folder.Write("p.tsv", Pairs), "--output", name);
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, $"'{name}' cannot be written: its name ends in neither .tsv nor .jsonl (each also with .gz).");
        Assert.DoesNotContain("--format", run.Error);
    }

    private static string Unpacked(string path)
    {
        using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
