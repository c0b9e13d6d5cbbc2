using CsCheck;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

[TestClass]
public sealed class CorrelationTests
{
    /// <summary>Few distinct values, so that most cases have ties.</summary>
    private static readonly Gen<(double[] X, double[] Y)> Series =
        from length in Gen.Int[2, 40]
        from x in Gen.Int[-4, 4].Select(value => value / 2.0).Array[length]
        from y in Gen.OneOf(Gen.Int[-3, 3].Select(value => (double)value), Gen.Int[-10_000, 10_000].Select(value => value / 1024.0)).Array[length]
        select (x, y);

    [TestMethod]
    public void RanksAreThoseOfTheDefinitionWithTiesAveraged() => Series.Sample(series =>
    {
        double[] ranks = Correlation.AverageRanks(series.Y);
        CollectionAssert.AreEqual(NaiveRanks(series.Y), ranks);
    });

    [TestMethod]
    public void SpearmanIsPearsonOfTheNaiveRanks() => Series.Sample(series =>
    {
        double expected = NaivePearson(NaiveRanks(series.X), NaiveRanks(series.Y));
        double actual = Correlation.Spearman(series.X, series.Y);
        Assert.IsTrue(double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(expected - actual) < 1e-12, $"{expected} and {actual}");
    });

    [TestMethod]
    public void SpearmanIsUnchangedByAnyIncreasingFunctionAndTurnedByADecreasingOne() => Series.Sample(series =>
    {
        double plain = Correlation.Spearman(series.X, series.Y);
        double[] increased = [.. series.Y.Select(Math.Cbrt)];
        double[] turned = [.. series.Y.Select(value => -value)];
        Assert.AreEqual(plain, Correlation.Spearman(series.X, increased), 1e-12);
        Assert.AreEqual(-plain, Correlation.Spearman(series.X, turned), 1e-12);
    });

    [TestMethod]
    public void PearsonIsUnchangedByScaleAndOffset() => Series.Sample(series =>
    {
        double[] moved = [.. series.Y.Select(value => (3 * value) + 1000)];
        Assert.AreEqual(Correlation.Pearson(series.X, series.Y), Correlation.Pearson(series.X, moved), 1e-9);
    });

    [TestMethod]
    public void PearsonSurvivesALargeMean()
    {
        double[] x = [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3];
        double[] y = [1, 3, 2, 4];
        Assert.AreEqual(0.8, Correlation.Pearson(x, y), 1e-12);
    }

    [TestMethod]
    [DataRow(1e-200)]
    [DataRow(1e200)]
    public void PearsonSurvivesValuesWhoseSquaresLeaveTheRangeOfADouble(double scale)
    {
        double[] x = [1 * scale, 2 * scale, 3 * scale, 4 * scale];
        Assert.AreEqual(0.8, Correlation.Pearson(x, [1, 3, 2, 4]), 1e-12);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(7)]
    public void ConstantSeriesHaveNoCorrelation(int length)
    {
        // 0.1 is no binary fraction: its mean over 7 values differs from it in the last bit.
        double[] constant = [.. Enumerable.Repeat(0.1, length)];
        double[] other = [.. Enumerable.Range(0, length).Select(i => (double)i)];
        Assert.IsTrue(double.IsNaN(Correlation.Pearson(constant, other)));
        Assert.IsTrue(double.IsNaN(Correlation.Spearman(other, constant)));
    }

    [TestMethod]
    public void SeriesOfDifferentLengthAreRefused() => Assert.ThrowsExactly<ArgumentException>(() => Correlation.Pearson([1, 2], [1, 2, 3]));

    private static double[] NaiveRanks(double[] values) =>
        [.. values.Select(value => values.Count(other => other < value) + ((values.Count(other => other == value) + 1) / 2.0))];

    private static double NaivePearson(double[] x, double[] y)
    {
        double meanX = x.Average();
        double meanY = y.Average();
        double covariance = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        return covariance / Math.Sqrt(x.Sum(a => (a - meanX) * (a - meanX)) * y.Sum(b => (b - meanY) * (b - meanY)));
    }
}
