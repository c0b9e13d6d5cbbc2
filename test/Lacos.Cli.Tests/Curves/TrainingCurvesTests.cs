using System.Globalization;
using Lacos.Cli.Curves;
using SkiaSharp;

namespace Lacos.Cli.Tests.Curves;

[TestClass]
public sealed class TrainingCurvesTests
{
    [TestMethod]
    public void TheCurvesOfALogStandBesideItWithWordsAndLines()
    {
        using var folder = new TemporaryFolder();
        string log = folder.Write("train-log.jsonl", string.Concat(Enumerable.Range(1, 300).Select(step => string.Create(
            CultureInfo.InvariantCulture, $$"""{"step":{{step}},"loss":{{2.0 / step}},"learning_rate":{{1e-4 * step}}{{(step % 50 == 0 ? $",\"spearman\":0.{step}" : "")}}}""") + "\n")) + "{\"step\":301,\"lo");
        Assert.AreEqual(folder.File(TrainingCurves.FileName), TrainingCurves.Draw(log));
        using SKBitmap picture = SKBitmap.Decode(folder.File(TrainingCurves.FileName));
        Assert.AreEqual(1200, picture.Width);
        Assert.AreEqual(960, picture.Height, "three plots, one of them the evaluations");
        Assert.IsGreaterThan(1000, Dark(picture, 0, 90), "numbers and names beside the axis");
        Assert.IsGreaterThan(1000, Coloured(picture), "lines");
        CollectionAssert.AreEqual(new[] { TrainingCurves.FileName, "train-log.jsonl" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void ALogWithoutAStepHasNoCurves()
    {
        using var folder = new TemporaryFolder();
        Assert.IsNull(TrainingCurves.Draw(folder.Write("train-log.jsonl", "\nnull\n[1]\n{\"step\":\"x\"}\n")));
    }

    [TestMethod]
    [DataRow("""{"step":9223372036854775807,"loss":1,"learning_rate":1}""")]
    [DataRow("""{"step":-9223372036854775808,"loss":1,"learning_rate":1}""")]
    [DataRow("""{"step":2,"loss":1e308,"learning_rate":1}""")]
    [DataRow("""{"step":2,"loss":-1e308,"learning_rate":1e308,"spearman":1e308}""")]
    [DataRow("""{"step":2,"loss":1e999,"learning_rate":-1e999,"spearman":1e999}""")]
    [DataRow("""{"step":2,"loss":5e-324,"learning_rate":5e-324,"spearman":-1e999}""")]
    [DataRow("""{"step":2,"loss":"\ud800","learning_rate":1}""")]
    [DataRow("""{"step":2,"step":3,"loss":1,"loss":2,"learning_rate":1}""")]
    public async Task ALineOfImpossibleNumbersDoesNotSpoilTheCurves(string line)
    {
        using var folder = new TemporaryFolder();
        string log = folder.Write("train-log.jsonl", $"{line}\n{{\"step\":1,\"loss\":2,\"learning_rate\":0.1,\"spearman\":0.5}}\n{line}\n");
        Assert.AreEqual(folder.File(TrainingCurves.FileName), await Task.Run(() => TrainingCurves.Draw(log)).WaitAsync(TimeSpan.FromMinutes(1)).ConfigureAwait(false));
    }

    [TestMethod]
    public void TheSmoothedLineIsAMeanFromItsFirstValueOn()
    {
        Smoothing mean = Smoothing.Over(10);
        Assert.AreEqual(4, mean.Add(4), 1e-12);
        Assert.AreEqual(((0.9 * 4) + 2) / 1.9, mean.Add(2), 1e-12);
        Assert.AreEqual(mean.Mean, mean.Add(double.NaN));
    }

    private static int Dark(SKBitmap picture, int left, int right) => Count(picture, left, right, color => color.Red < 90 && color.Green < 90 && color.Blue < 90);

    private static int Coloured(SKBitmap picture) => Count(picture, 0, picture.Width, color => Math.Max(color.Red, Math.Max(color.Green, color.Blue)) - Math.Min(color.Red, Math.Min(color.Green, color.Blue)) > 60);

    private static int Count(SKBitmap picture, int left, int right, Func<SKColor, bool> counts)
    {
        int count = 0;
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = left; x < right; x++)
            {
                count += counts(picture.GetPixel(x, y)) ? 1 : 0;
            }
        }
        return count;
    }
}
