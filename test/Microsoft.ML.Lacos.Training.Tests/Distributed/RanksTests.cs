using Microsoft.ML.Lacos.Training.Distributed;

namespace Microsoft.ML.Lacos.Training.Tests.Distributed;

[TestClass]
public sealed class RanksTests
{
    [TestMethod]
    [DataRow(1, 5)]
    [DataRow(2, 1)]
    [DataRow(3, 7)]
    [DataRow(4, 8)]
    [DataRow(5, 0)]
    public void SumsAreThoseOfAllRanksWithTheSameBits(int ranks, int length)
    {
        // 1e8 swallows small numbers in float: only sums in double, in one order, come out right and alike.
        float[] Values(int rank) => [.. Enumerable.Range(0, length).Select(i => rank == 0 ? 1e8f : i + (rank / 8f))];
        float[][] sums = ThreadGroup.Run(ranks, group =>
        {
            float[] values = Values(group.Rank);
            new Ranks(group).Sum(values);
            return values;
        });
        float[] expected = [.. Enumerable.Range(0, length).Select(i => (float)Enumerable.Range(0, ranks).Sum(rank => (double)Values(rank)[i]))];
        foreach (float[] sum in sums)
        {
            CollectionAssert.AreEqual(expected, sum);
        }
    }

    [TestMethod]
    public void RankZeroDecidesAndAnyRankCanSayYes()
    {
        (double Number, double? Nothing, bool Some, bool None)[] answers = ThreadGroup.Run(3, group =>
        {
            var ranks = new Ranks(group);
            return (ranks.OfFirst(ranks.Rank + 0.5), ranks.OfFirst(ranks.IsFirst ? null : 1.0), ranks.Any(ranks.Rank == 2), ranks.Any(here: false));
        });
        CollectionAssert.AreEqual(Enumerable.Repeat((0.5, (double?)null, true, false), 3).ToArray(), answers);
    }

    [TestMethod]
    public void AloneNothingIsAskedOfAnybody()
    {
        var ranks = new Ranks(null);
        float[] values = [1, 2];
        ranks.Sum(values);
        CollectionAssert.AreEqual(new float[] { 1, 2 }, values);
        Assert.AreEqual((3.0, true, true, 1), (ranks.OfFirst(3.0), ranks.Any(true), ranks.IsFirst, ranks.Count));
        CollectionAssert.AreEqual(new byte[] { 7 }, ranks.Gather([7]));
    }

    [TestMethod]
    public void ARankWithOtherSettingsSaysWhichAndTheOthersSayWhoItIs()
    {
        (_, Exception?[] errors) = ThreadGroup.Outcomes(3, group =>
        {
            new Ranks(group).RequireSame(new Dictionary<string, string> { ["seed"] = group.Rank == 2 ? "2" : "1", ["data"] = "x" });
            return 0;
        });
        Assert.AreEqual("Rank 2 of 3 differs from rank 0 in 'seed': 2 here, 1 there. Start all with the same options, on the same files.", errors[2]!.Message);
        Assert.AreEqual("Rank 2 of 3 has other options or files than rank 0; its own message says which.", errors[0]!.Message);
        Assert.AreEqual(errors[0]!.Message, errors[1]!.Message);
    }

    [TestMethod]
    public void ASettingThatARankLacksIsADifference()
    {
        (_, Exception?[] errors) = ThreadGroup.Outcomes(2, group =>
        {
            new Ranks(group).RequireSame(group.Rank == 0 ? new Dictionary<string, string> { ["prompt"] = "query: " } : []);
            return 0;
        });
        StringAssert.Contains(errors[1]!.Message, "'prompt': nothing here, query:  there");
    }

    [TestMethod]
    [DataRow(10, 3)]
    [DataRow(2, 4)]
    [DataRow(1, 1)]
    public void EveryRowIsEncodedOnOneRank(int rows, int ranks)
    {
        RankRows[] parts = [.. Enumerable.Range(0, ranks).Select(rank => RankRows.Of(rows, rank, ranks))];
        CollectionAssert.AreEqual(Enumerable.Range(0, rows).ToArray(), parts.SelectMany(part => Enumerable.Range(part.First, part.Count)).ToArray());
        Assert.AreEqual(RankRows.Most(rows, ranks), parts.Max(part => part.Count));
    }
}
