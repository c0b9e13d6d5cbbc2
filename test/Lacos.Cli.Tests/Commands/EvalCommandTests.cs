using System.Globalization;
using System.Text.Json;
using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Evaluation;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class EvalCommandTests
{
    private static readonly (string Left, string Right, double Score)[] Pairs =
        [.. Enumerable.Range(0, 30).Select(i => ($"text number {i}", $"text number {i * i % 17}", i * 7 % 11 / 2.0))];

    [TestMethod]
    [DataRow("set.tsv", "score\tsentence1\tsentence2", "{2}\t{0}\t{1}", null)]
    [DataRow("set.tsv", "text1\ttext2\tlabel\tnote", "{0}\t{1}\t{2}\tx", null)]
    [DataRow("set.csv", "Sentence1,Sentence2,Score", "\"{0}\",\"{1}\",{2}", null)]
    [DataRow("set.csv", "a,b,c", "{0},{1},{2}", "a,b,c")]
    [DataRow("set.tsv", "a\tb\tc", "{1}\t{0}\t{2}", "1,0,2")]
    [DataRow("set.jsonl", null, "{{\"sentence1\":\"{0}\",\"sentence2\":\"{1}\",\"score\":{2}}}", null)]
    public void EachLayoutGivesTheMetricsOfItsPairs(string name, string? header, string line, string? columns)
    {
        using var folder = new TemporaryFolder();
        string content = (header is null ? "" : header + "\n") + string.Concat(Pairs.Select(pair => string.Format(CultureInfo.InvariantCulture, line, pair.Left, pair.Right, pair.Score) + "\n"));
        string[] arguments = ["eval", "--data", folder.WriteGzip(name + ".gz", content), "--json", folder.File("m.json"), .. columns is null ? Array.Empty<string>() : ["--columns", columns]];
        ToolRun run = ToolRun.Of(arguments);
        Assert.AreEqual(0, run.ExitCode, run.Error);

        SentenceSimilarityMetrics expected = Expected();
        StringAssert.Contains(run.Output, $"| set |    30 | {100 * expected.CosineSpearman,13:F2} | {100 * expected.CosinePearson,12:F2} |");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder.File("m.json")));
        JsonElement set = json.RootElement.GetProperty("sets")[0];
        Assert.AreEqual(expected.CosineSpearman, set.GetProperty("cosine_spearman").GetDouble());
        Assert.AreEqual(expected.ManhattanPearson, set.GetProperty("manhattan_pearson").GetDouble());
        Assert.AreEqual(30, set.GetProperty("pairs").GetInt32());
        Assert.AreEqual("f00d", json.RootElement.GetProperty("fingerprint").GetString());
    }

    [TestMethod]
    [DataRow("one.tsv two.tsv --json nowhere/m.json", "There is no folder")]
    [DataRow("one.tsv missing.tsv", "There is no file")]
    [DataRow("one.tsv other.tsv", "are not among them")]
    public void WhatCannotComeToAnEndIsRefusedBeforeTheFirstTextIsEncoded(string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("one.tsv", "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n");
        folder.Write("two.tsv", "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n");
        folder.Write("other.tsv", "left\tright\na\tb\n");
        int encoded = 0;
        var models = new FakeModels { Encoding = _ => encoded++ };
        ToolRun run = ToolRun.Of(models, "", default, ["eval", "--data", .. arguments.Split(' ').Select(word => word.StartsWith('-') ? word : folder.File(word))]);
        Assert.AreNotEqual(0, run.ExitCode);
        StringAssert.Contains(run.Error, expected);
        Assert.AreEqual(0, encoded);
        Assert.HasCount(3, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void SeveralSetsHaveALineEachAndAMean()
    {
        using var folder = new TemporaryFolder();
        string content = "sentence1\tsentence2\tscore\n" + string.Concat(Pairs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Left}\t{pair.Right}\t{pair.Score}\n")));
        ToolRun run = ToolRun.Of("eval", "--data", folder.Write("one.tsv", content), folder.Write("two.tsv", content));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[] lines = run.Output.TrimEnd().Split('\n');
        Assert.HasCount(5, lines);
        StringAssert.StartsWith(lines[4], "| mean |    60 |");
        Assert.AreEqual(lines[2][7..], lines[3][7..]);
    }

    [TestMethod]
    [DataRow("lang")]
    [DataRow("3")]
    public void AFileIsTakenApartByAColumn(string by)
    {
        using var folder = new TemporaryFolder();
        string[] rows = [.. Pairs.Select((pair, i) => string.Create(CultureInfo.InvariantCulture, $"{pair.Left}\t{pair.Right}\t{pair.Score}"))];
        string[] languages = ["de", "en", "fr"];
        string[] apart = [.. languages.Select((language, i) => folder.Write(language + ".tsv", "sentence1\tsentence2\tscore\n" + string.Join('\n', rows.Where((_, row) => row % 3 == i))))];
        string all = folder.Write("all.tsv", "sentence1\tsentence2\tscore\tlang\n" + string.Join('\n', rows.Select((row, i) => $"{row}\t{languages[i % 3]}")));
        ToolRun expected = ToolRun.Of(["eval", "--json", "-", "--data", .. apart]);
        ToolRun run = ToolRun.Of("eval", "--json", "-", "--data", all, "--by", by);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        CollectionAssert.AreEqual(new[] { "de/all", "en/all", "fr/all" }, Sets(run, "name"));
        CollectionAssert.AreEqual(Sets(expected, "cosine_spearman"), Sets(run, "cosine_spearman"));
        Assert.AreEqual(3, Sets(run, "cosine_spearman").Distinct().Count());

        static string[] Sets(ToolRun run, string key)
        {
            using JsonDocument json = JsonDocument.Parse(run.Output);
            return [.. json.RootElement.GetProperty("sets").EnumerateArray().Select(set => set.GetProperty(key).ToString())];
        }
    }

    [TestMethod]
    [DataRow("a\tb\t1\t\n", "has nothing in the column of --by")]
    [DataRow("many", "has the 1,001th value in the column of --by")]
    public void AColumnThatTakesNothingApartIsRefused(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        string rows = content == "many" ? string.Concat(Enumerable.Range(0, 1001).Select(i => $"a\tb\t1\t{i}\n")) : content;
        ToolRun run = ToolRun.Of("eval", "--data", folder.Write("all.tsv", "sentence1\tsentence2\tscore\tlang\n" + rows), "--by", "lang");
        Assert.AreEqual(ExitCode.Failed, run.ExitCode);
        StringAssert.Contains(run.Error, expected);
    }

    [TestMethod]
    public void SetsOfOneNameAreToldApartByTheirFolders()
    {
        using var folder = new TemporaryFolder();
        string[] files = ["en/test.tsv", "de/test.tsv.gz", "dev.tsv"];
        foreach (string file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(file))!);
            string content = "sentence1\tsentence2\tscore\na\tb\t1\na\tc\t2\n";
            _ = file.EndsWith(".gz", StringComparison.Ordinal) ? folder.WriteGzip(file, content) : folder.Write(file, content);
        }
        ToolRun run = ToolRun.Of(["eval", "--json", folder.File("m.json"), "--data", .. files.Select(folder.File)]);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, "| de/test |");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder.File("m.json")));
        CollectionAssert.AreEqual(new[] { "en/test", "de/test", "dev" }, json.RootElement.GetProperty("sets").EnumerateArray().Select(set => set.GetProperty("name").GetString()).ToArray());
    }

    [TestMethod]
    [DataRow("a/test.tsv b/test.tsv c/dev.tsv", "a/test b/test dev")]
    [DataRow("x/a/test.tsv y/a/test.tsv b/test.tsv", "x/a/test y/a/test b/test")]
    [DataRow("a/test.tsv a/test.csv.gz", "test.tsv test.csv.gz")]
    [DataRow("a/test.tsv a/test.csv b/test.csv", "test.tsv a/test.csv b/test.csv")]
    [DataRow("a/test.tsv a/test.csv a/test.tsv.csv", "test.tsv test.csv test.tsv.csv")]
    [DataRow("-", "standard input")]
    public void NamesOfSetsAreAsShortAsTheyCanBe(string paths, string expected) => Assert.AreEqual(expected, string.Join(' ', SetNames.Of(paths.Split(' '))));

    [TestMethod]
    public void AFileNamedTwiceIsAUsageError()
    {
        UsageException error = Assert.ThrowsExactly<UsageException>(() => SetNames.Of(["a/test.tsv", "a/../a/test.tsv"]));
        StringAssert.Contains(error.Message, "'a/test.tsv' twice");
    }

    [TestMethod]
    public void JsonToStandardOutputTakesThePlaceOfTheTable()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("eval", "--data", folder.Write("s.tsv", "sentence1\tsentence2\tscore\na\tb\t1\na\tc\t1\n"), "--json", "-");
        using JsonDocument json = JsonDocument.Parse(run.Output);
        Assert.AreEqual(JsonValueKind.Null, json.RootElement.GetProperty("sets")[0].GetProperty("cosine_spearman").ValueKind, "equal scores have no correlation");
    }

    [TestMethod]
    public void AScoreThatIsNoNumberIsRefusedWithItsLineAndAnEmptyOneIsLeftOut()
    {
        using var folder = new TemporaryFolder();
        ToolRun bad = ToolRun.Of("eval", "--data", folder.Write("s.tsv", "sentence1\tsentence2\tscore\na\tb\t1\na\tc\tmuch\n"));
        Assert.AreEqual(1, bad.ExitCode);
        StringAssert.Contains(bad.Error, "Line 3 ");
        StringAssert.Contains(bad.Error, "'much'");
        ToolRun empty = ToolRun.Of("eval", "--data", folder.Write("t.tsv", "sentence1\tsentence2\tscore\nab\tb\t1\na\tc\t\nabc\td\t2\n"));
        Assert.AreEqual(0, empty.ExitCode, empty.Error);
        StringAssert.Contains(empty.Output, "|     2 |");
        StringAssert.Contains(empty.Error, "1 pair(s)");
    }

    [TestMethod]
    [DataRow("sentence1\tsentence2\tscore\n")]
    [DataRow("sentence1\tsentence2\tscore\na\tb\t\n")]
    public void AFileWithoutScoredPairsIsRefused(string content)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("eval", "--data", folder.Write("s.tsv", content));
        Assert.AreEqual(1, run.ExitCode);
        Assert.AreEqual("", run.Output);
        StringAssert.Contains(run.Error, "s.tsv' has no pairs with a score");
    }

    [TestMethod]
    public void TheFileOfTheStsBenchmarkIsRead()
    {
        using var folder = new TemporaryFolder();
        string content = "main-captions\tMSRvid\t2012test\t0024\t2.500\tA girl, styling her hair.\tA girl is brushing \"her\" hair.\n"
            + "main-news\tdeft\t2013\t17\t4.0\tA text.\tOther text.\thttp://a.example\thttp://b.example\n\n";
        string path = folder.Write("sts-test.csv", content);
        ToolRun run = ToolRun.Of("eval", "--data", path, "--no-header", "--columns", "5,6,4", "--format", "tsv");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, "| sts-test |     2 |");
        ToolRun asCommas = ToolRun.Of("eval", "--data", path, "--no-header", "--columns", "5,6,4");
        Assert.AreEqual(2, asCommas.ExitCode, asCommas.Error);
        StringAssert.Contains(asCommas.Error, "--format tsv");
    }

    [TestMethod]
    [DataRow("a\tb\tc\n", null)]
    [DataRow("sentence1\tsentence2\n", null)]
    [DataRow("a\tb\tc\n", "a,b")]
    [DataRow("a\tb\tc\n", "a,b,d")]
    public void ColumnsThatCannotBeToldAreAUsageErrorThatListsThem(string header, string? columns)
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["eval", "--data", folder.Write("s.tsv", header), .. columns is null ? Array.Empty<string>() : ["--columns", columns]];
        ToolRun run = ToolRun.Of(arguments);
        Assert.AreEqual(2, run.ExitCode);
        StringAssert.Contains(run.Error, columns == "a,b" ? "three" : "columns '");
    }

    private static SentenceSimilarityMetrics Expected()
    {
        var scores = new SimilarityScores();
        foreach ((string left, string right, double score) in Pairs)
        {
            scores.Add<float>(score, FakeModels.Vector(left), FakeModels.Vector(right));
        }
        return scores.ToMetrics();
    }
}
