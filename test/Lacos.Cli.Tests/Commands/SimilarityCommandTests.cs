using System.Globalization;
using Microsoft.ML.Lacos.Evaluation;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class SimilarityCommandTests
{
    [TestMethod]
    public void TwoTextsGiveOneNumber()
    {
        ToolRun run = ToolRun.Of("similarity", "a cat", "a dog");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.AreEqual(Cosine("a cat", "a dog") + "\n", run.Output);
    }

    [TestMethod]
    public void MoreTextsGiveAMatrix()
    {
        string[] texts = ["a cat", "@mention is no file", "--dash\nand line"];
        ToolRun run = ToolRun.Of("similarity", "--", texts[0], texts[1], texts[2]);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[] lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.HasCount(4, lines);
        for (int row = 0; row < 3; row++)
        {
            string[] cells = lines[row + 1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            CollectionAssert.AreEqual(texts.Select(text => Cosine(texts[row], text)).ToArray(), cells[1..4]);
            StringAssert.EndsWith(lines[row + 1], texts[row].Replace('\n', ' '));
        }
    }

    private static string Cosine(string left, string right) => PairSimilarity.Of<float>(FakeModels.Vector(left), FakeModels.Vector(right)).Cosine.ToString("F4", CultureInfo.InvariantCulture);
}
