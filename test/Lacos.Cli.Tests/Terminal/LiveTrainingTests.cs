using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;

namespace Lacos.Cli.Tests.Terminal;

[TestClass]
public sealed class LiveTrainingTests
{
    [TestMethod]
    public void NowAndBestAndTheSmoothedLossAreThoseOfTheRun()
    {
        using var streams = new ToolStreams(Stream.Null, Stream.Null, TextWriter.Null, errorIsTerminal: true);
        var live = new LiveTraining(streams);
        live.Report(new TrainingProgress(100, 400, 3, 2e-4, 1, 0.5, 50, TimeSpan.FromHours(25), "pairs"));
        live.Report(new TrainingProgress(200, 400, 1, 1e-4, 1, 0.4, 50, TimeSpan.FromSeconds(61), "pairs"));
        live.Report(new TrainingProgress(201, 400, 1, 1e-4, 1, null, 50, TimeSpan.FromSeconds(60), "pairs"));
        IReadOnlyList<(string Name, string Text)> lines = live.Lines();
        StringAssert.StartsWith(lines[0].Text, "201 of 400");
        StringAssert.StartsWith(lines[1].Text, "1.65");
        Assert.AreEqual(("learning rate", "1.00e-4"), lines[2]);
        Assert.AreEqual(("Spearman", "40.00 at step 200, best 50.00 at step 100"), lines[3]);
        Assert.AreEqual(("speed", "50 sentences/s, 0:01:00 left"), lines[4]);
    }

    [TestMethod]
    public void ASpearmanThatIsUndefinedIsNotTheBest()
    {
        using var streams = new ToolStreams(Stream.Null, Stream.Null, TextWriter.Null, errorIsTerminal: true);
        var live = new LiveTraining(streams);
        double[] scores = [double.NaN, 0.3, double.NaN, 0.2];
        for (int i = 0; i < scores.Length; i++)
        {
            live.Report(new TrainingProgress(i + 1, 4, 1, 1e-4, 1, scores[i], 50, TimeSpan.Zero, "pairs"));
        }
        Assert.AreEqual(("Spearman", "20.00 at step 4, best 30.00 at step 2"), live.Lines()[3]);
    }

    [TestMethod]
    public void WithoutATerminalOrAskedToBeQuietThereIsNoDisplay()
    {
        using var streams = new ToolStreams(Stream.Null, Stream.Null, TextWriter.Null, errorIsTerminal: false);
        Assert.IsFalse(LiveTraining.IsPossible(streams));
        using var quiet = new ToolStreams(Stream.Null, Stream.Null, TextWriter.Null, errorIsTerminal: true) { Quiet = true };
        Assert.IsFalse(LiveTraining.IsPossible(quiet));
    }
}
