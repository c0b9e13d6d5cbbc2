using System.Globalization;
using System.Text.RegularExpressions;

namespace Samples.Tests;

/// <summary>The file-based apps of <c>samples/</c>, built without a warning and run.</summary>
[TestClass]
public sealed class FileBasedAppTests
{
    private static readonly HashSet<string> s_built = [];
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("lacos-samples-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void EveryFileBasedAppHasATestHere()
        => CollectionAssert.AreEquivalent(new[] { "Cluster.cs", "FineTune.cs", "Search.cs" }, Directory.EnumerateFiles(Path.Combine(SampleRun.Root, "samples"), "*.cs").Select(Path.GetFileName).ToArray());

    [TestMethod]
    public void ClusterFindsTheTopicsOfTheLettersBetterThanBagsOfWords()
    {
        string output = Succeeds("Cluster.cs");
        MatchCollection rows = Regex.Matches(output, @"^ +(\d+) +(\d\.\d+) +(\d\.\d+)\r?$", RegexOptions.Multiline);
        Match last = rows[^1];
        Assert.AreEqual("5", last.Groups[1].Value, output);
        Assert.IsGreaterThan(Number(last.Groups[3]) + 0.2, Number(last.Groups[2]), output);
        StringAssert.Contains(output, "clusters, and the texts nearest to each centre");
    }

    [TestMethod]
    public void ClusterTakesTheUsersTextsAndRange()
    {
        string file = Path.Combine(_folder, "texts.txt");
        File.WriteAllLines(file, ["The bus is late.", "Der Bus hat Verspätung.", "I baked bread.", "Ich habe Brot gebacken.", ""]);
        string output = Succeeds("Cluster.cs", file, "--k", "2-2");
        StringAssert.Contains(output, "4 texts of texts.txt");
        Assert.HasCount(2, Regex.Matches(output, "cluster [12], 2 texts"), output);
        Assert.DoesNotContain("NMI", output);
    }

    [TestMethod]
    [DataRow("Cluster.cs", 1, "There is no file 'none.tsv'.", "none.tsv")]
    [DataRow("Cluster.cs", 2, "--k 5-2", "--k", "5-2")]
    [DataRow("Search.cs", 1, "There is no file 'none.tsv'.", "a question", "--corpus", "none.tsv")]
    [DataRow("Search.cs", 2, "--top 0", "a question", "--top", "0")]
    [DataRow("FineTune.cs", 1, "There is no file 'none.tsv'.", "none.tsv", "none.tsv")]
    [DataRow("FineTune.cs", 2, "only-one.tsv", "only-one.tsv")]
    public void WhatCannotBeDoneIsSaidWithAnExitCode(string app, int code, string expected, params string[] arguments)
    {
        Build(app);
        SampleRun run = SampleRun.Run(Sample(app), arguments);
        Assert.AreEqual(code, run.Code, run.All);
        StringAssert.Contains(run.Errors, expected);
    }

    [TestMethod]
    public void ATextFileTooSmallToClusterIsRefused()
    {
        string file = Path.Combine(_folder, "texts.txt");
        File.WriteAllLines(file, ["One.", "Two."]);
        Build("Cluster.cs");
        SampleRun run = SampleRun.Run(Sample("Cluster.cs"), file);
        Assert.AreEqual(1, run.Code, run.All);
        StringAssert.Contains(run.Errors, "has 2 text(s)");
    }

    [TestMethod]
    public void SearchEmbedsOnceAndFindsThePageInAnotherLanguage()
    {
        string index = Path.Combine(_folder, "articles.index");
        string first = Succeeds("Search.cs", "Is there a student discount?", "--index", index, "--top", "1");
        StringAssert.Contains(first, "Embedded 30 texts");
        StringAssert.Contains(first, "Studierende erhalten zehn Prozent Rabatt");
        string second = Succeeds("Search.cs", "Is there a student discount?", "--index", index, "--top", "1");
        StringAssert.Contains(second, "Read the vectors of 30 texts");
        Assert.AreEqual(Answers(first), Answers(second));
    }

    [TestMethod]
    public void SearchEmbedsAgainWhereTheCorpusOrTheIndexIsAnother()
    {
        string corpus = Path.Combine(_folder, "corpus.txt");
        string index = Path.Combine(_folder, "corpus.index");
        File.WriteAllLines(corpus, ["The cat sleeps on the sofa.", "It will rain tomorrow."]);
        string[] arguments = ["Wie wird das Wetter?", "--corpus", corpus, "--index", index, "--top", "1"];
        StringAssert.Contains(Succeeds("Search.cs", arguments), "It will rain tomorrow.");
        File.WriteAllLines(corpus, ["The dog sleeps on the sofa.", "It will rain tomorrow."]);
        StringAssert.Contains(Succeeds("Search.cs", arguments), "Embedded 2 texts");
        File.WriteAllBytes(index, new byte[new FileInfo(index).Length]);
        StringAssert.Contains(Succeeds("Search.cs", arguments), "Embedded 2 texts");
    }

    [TestMethod]
    public void FineTuneImprovesOnPairsItHasNotSeen()
    {
        string output = Succeeds("FineTune.cs");
        double before = Number(Regex.Match(output, @"before: Spearman (-?\d\.\d+)").Groups[1]);
        double after = Number(Regex.Match(output, @"after: Spearman (-?\d\.\d+)").Groups[1]);
        Assert.IsGreaterThan(before + 0.1, after, output);
        StringAssert.Contains(output, "Saved to one file");
    }

    [TestMethod]
    public void NoComplaintOfTheScoredPairsIsLearned()
    {
        string[] learned = Column("repairs.tsv");
        string[] scored = Column("repairs-scored.tsv");
        Assert.HasCount(72, learned);
        Assert.HasCount(96, scored);
        Assert.IsEmpty(scored.Intersect(learned));

        static string[] Column(string name) => [.. File.ReadLines(Path.Combine(SampleRun.Root, "samples", "data", name)).Skip(1).Select(line => line.Split('\t')[0])];
    }

    private static string Sample(string app) => Path.Combine("samples", app);

    private static void Build(string app)
    {
        if (s_built.Contains(app))
        {
            return;
        }
        SampleRun build = SampleRun.Build(Sample(app));
        Assert.AreEqual(0, build.Code, build.All);
        Assert.DoesNotContain(": warning ", build.Output + build.Errors);
        s_built.Add(app);
    }

    private static string Succeeds(string app, params string[] arguments)
    {
        Build(app);
        SampleRun run = SampleRun.Run(Sample(app), arguments);
        Assert.AreEqual(0, run.Code, run.All);
        return run.Output;
    }

    private static string Answers(string output) => output[output.IndexOf('\n', StringComparison.Ordinal)..];

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);
}
