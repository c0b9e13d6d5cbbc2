using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class SharesTests
{
    /// <remarks>Weights whose shares are exact in binary, so that ties are ties.</remarks>
    [TestMethod]
    [DataRow(new[] { 1.0, 1, 1, 1 }, "0123 0123")]
    [DataRow(new[] { 1.0, 1 }, "01 01")]
    [DataRow(new[] { 2.0, 1, 1 }, "0120 0120")]
    [DataRow(new[] { 1.0, 2, 1 }, "1021 1021")]
    [DataRow(new[] { 1.0, 1, 2 }, "2012 2012")]
    public void OfThoseEquallyFarBehindTheFirstHasItsTurn(double[] weights, string expected)
    {
        double[] shares = Shares.Of(weights);
        var taken = new long[weights.Length];
        var turns = new List<int>();
        for (int turn = 1; turn <= expected.Count(char.IsDigit); turn++)
        {
            turns.Add(Shares.FurthestBehind(shares, turn, taken));
            taken[turns[^1]]++;
        }
        Assert.AreEqual(expected.Replace(" ", "", StringComparison.Ordinal), string.Concat(turns));
    }
}
