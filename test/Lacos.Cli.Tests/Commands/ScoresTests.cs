using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class ScoresTests
{
    private const string Before = """{"fingerprint":"f","sets":[{"name":"stsb-en-test","pairs":100,"cosine_spearman":0.7},{"name":"stsb-it-dev","pairs":50,"cosine_spearman":0.5}]}""";
    private const string After = """{"fingerprint":"f","sets":[{"name":"stsb-en-test","pairs":100,"cosine_spearman":0.75},{"name":"stsb-it-dev","pairs":50,"cosine_spearman":0.55},{"name":"own","pairs":7,"cosine_spearman":null}]}""";

    [TestMethod]
    [TestCategory("Golden")]
    public void WhatEvalWroteBecomesATableByLanguageInInfo()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(
        [
            "quantize", "--model", TestData.Golden("sentence_transformers", "mean"), "--output", folder.File("m.lacos"),
            "--scores", folder.Write("after.json", After), "--scores-before", folder.Write("before.json", Before), "--language", "own=hi",
        ]);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "Languages read from the names of sets: en (stsb-en-test), it (stsb-it-dev).");
        ToolRun info = ToolRun.Of("info", "--model", folder.File("m.lacos"));
        string[] lines = info.Output.Split('\n');
        Assert.AreEqual("| en       |    1 |   100 |  70.00 | 75.00 |  +5.00 |      |", Array.Find(lines, line => line.StartsWith("| en", StringComparison.Ordinal)));
        Assert.AreEqual("| it       |    1 |    50 |  50.00 | 55.00 |  +5.00 | weak |", Array.Find(lines, line => line.StartsWith("| it", StringComparison.Ordinal)));
        Assert.AreEqual("| hi       |    1 |     7 |        |       |        |      |", Array.Find(lines, line => line.StartsWith("| hi", StringComparison.Ordinal)));
    }

    [TestMethod]
    [TestCategory("Golden")]
    public void AModelWithDamagedScoresIsStillDescribed()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("quantize", "--model", TestData.Golden("sentence_transformers", "mean"), "--output", folder.File("m.lacos"), "--provenance", "scores={\"sets\":[3]}");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        ToolRun info = ToolRun.Of("info", "--model", folder.File("m.lacos"));
        Assert.AreEqual(0, info.ExitCode, info.Error);
        StringAssert.Contains(info.Output, "scores       damaged");
    }

    [TestMethod]
    [DataRow("stsb-en-test", "en")]
    [DataRow("sts12-en-unseen", "en")]
    [DataRow("semrel24-arb-dev", "arb")]
    [DataRow("stsb-multi-mt-de-test", "de")]
    [DataRow("sts22-crosslingual-sts-de", "de")]
    [DataRow("en/test", "en")]
    [DataRow("stsb-de/test", "de")]
    [DataRow("sts/de/test-dev", "de")]
    public void ALanguageIsReadFromTheNameOfASet(string set, string expected) => Assert.AreEqual(expected, ScoreOptions.LanguageOf(set));

    [TestMethod]
    [DataRow("pairs-dev", "does not tell")]
    [DataRow("my-new-pairs", "does not tell")]
    [DataRow("sts17-en-tr", "the languages en, tr.")]
    [DataRow("en/sts17-tr", "the languages en, tr.")]
    public void ASetWhoseNameDoesNotTellAsksForItsLanguage(string set, string expected)
    {
        UsageException error = Assert.ThrowsExactly<UsageException>(() => ScoreOptions.LanguageOf(set));
        StringAssert.Contains(error.Message, expected);
        StringAssert.Contains(error.Message, $"--language {set}=");
    }

    [TestMethod]
    [TestCategory("Golden")]
    [DataRow("""{"fingerprint":"f","sets":[{"name":"a-en","cosine_spearman":0.7}]}""", 1, "lacos eval --json")]
    [DataRow("""{"sets":[{"language":"en","set":"a","pairs":1,"after":7}]}""", 1, "after")]
    [DataRow("""{"fingerprint":"f","sets":[{"name":"a-en","pairs":1,"cosine_spearman":0.7},{"name":"a-en","pairs":1,"cosine_spearman":0.8}]}""", 1, "'a-en' twice")]
    [DataRow("""{"sets":[{"language":"en","set":"a","pairs":1,"after":0.7},{"language":"en","set":"a","pairs":1,"after":0.8}]}""", 1, "'a' twice")]
    [DataRow("nonsense", 1, "JSON")]
    [DataRow(null, 1, "nowhere.json")]
    public void ScoresThatCannotBeReadLeaveNoFile(string? content, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = content is null ? "nowhere.json" : folder.Write("s.json", content);
        ToolRun run = ToolRun.Of("quantize", "--model", TestData.Golden("sentence_transformers", "mean"), "--output", folder.File("m.lacos"), "--scores", path);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.IsFalse(File.Exists(folder.File("m.lacos")));
    }

    [TestMethod]
    [TestCategory("Golden")]
    public void EarlierScoresThatNameASetTwiceAreRefused()
    {
        using var folder = new TemporaryFolder();
        string before = folder.Write("before.json", Before.Replace("stsb-it-dev", "stsb-en-test", StringComparison.Ordinal));
        ToolRun run = ToolRun.Of("quantize", "--model", TestData.Golden("sentence_transformers", "mean"), "--output", folder.File("m.lacos"), "--scores", folder.Write("after.json", Before), "--scores-before", before);
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "before.json' names the set 'stsb-en-test' twice");
    }
}
