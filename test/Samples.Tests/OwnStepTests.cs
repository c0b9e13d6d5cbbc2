using System.Globalization;
using System.Text.RegularExpressions;

namespace Samples.Tests;

/// <summary>The sample of a step of one's own, run as a user does.</summary>
[TestClass]
public sealed class OwnStepTests
{
    [TestMethod]
    public void TheStepLearnsIsTrainedOnAndComesBackInAnotherProcess()
    {
        SampleRun run = SampleRun.RunProject(Path.Combine("samples", "OwnStep"));
        Assert.AreEqual(0, run.Code, run.All);
        StringAssert.Contains(run.Output, "log: Measured 11 text(s) of column 'Text'.");
        StringAssert.Matches(run.Output, new Regex("Capitals +Digits +Punctuation +Repeats +Length"));

        double[][] rows = [.. Regex.Matches(run.Output, @"^   (?:( *-?\d+\.\d\d)(?:  )?){5}", RegexOptions.Multiline).Select(row => row.Groups[1].Captures.Select(Number).ToArray())];
        Assert.HasCount(11, rows, run.All);
        for (int i = 0; i < 5; i++)
        {
            Assert.AreEqual(0, rows.Average(row => row[i]), 0.02, run.All);
            Assert.AreEqual(1, Math.Sqrt(rows.Average(row => row[i] * row[i])), 0.02, run.All);
        }

        string[] predictions = run.Output[run.Output.IndexOf("3. Saved", StringComparison.Ordinal)..].Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
        Assert.HasCount(4, predictions, run.All);
        bool[] shouts = [.. predictions.Select(line => double.Parse(line[..7], CultureInfo.InvariantCulture) > 0.5)];
        CollectionAssert.AreEqual(new[] { true, false, true, false }, shouts, run.All);
    }

    private static double Number(Capture capture) => double.Parse(capture.Value, CultureInfo.InvariantCulture);
}
