using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class RowOrderTests
{
    // 900 rows of group 0, 90 of group 1, 10 of group 2.
    private static readonly int[] Groups = [.. Enumerable.Range(0, 1000).Select(row => row < 900 ? 0 : row < 990 ? 1 : 2)];

    [TestMethod]
    [DataRow(1.0, 900, 90, 10)]
    [DataRow(0.0, 333, 333, 333)]
    [DataRow(0.5, 703, 222, 74)]
    public void AGroupsShareGoesByThePowerOfItsRows(double power, int first, int second, int third)
    {
        int[] order = new RowOrder(1000, 1, Groups, power).Of(0);
        int[] counts = [.. Enumerable.Range(0, 3).Select(group => order.Count(row => Groups[row] == group))];
        Assert.AreEqual(first, counts[0], 1);
        Assert.AreEqual(second, counts[1], 1);
        Assert.AreEqual(third, counts[2], 1);
    }

    [TestMethod]
    public void WithinAGroupEachRowComesOnceBeforeAnyComesAgainAlsoAcrossPasses()
    {
        var rows = new RowOrder(1000, 3, Groups, 0);
        int[] large = [.. Enumerable.Range(0, 3).SelectMany(rows.Of).Where(row => Groups[row] == 0).Take(900)];
        Assert.HasCount(900, large.Distinct());
        int[] small = [.. rows.Of(0).Where(row => Groups[row] == 2)];
        foreach (int[] round in small.Chunk(10).Where(chunk => chunk.Length == 10))
        {
            Assert.HasCount(10, round.Distinct());
        }
        CollectionAssert.AreNotEqual(small.Take(10).ToArray(), small.Skip(10).Take(10).ToArray(), "each round has an order of its own");
    }

    [TestMethod]
    public void GroupsAreSpreadEvenlyOverThePass()
    {
        int[] order = new RowOrder(1000, 1, Groups, 0).Of(0);
        foreach (int[] stretch in order.Chunk(30))
        {
            Assert.IsTrue(stretch.CountBy(row => Groups[row]).All(count => count.Value >= stretch.Length / 4));
        }
    }

    [TestMethod]
    public void TheOrderIsDecidedBySeedAndPass()
    {
        CollectionAssert.AreEqual(new RowOrder(50, 1).Of(4), new RowOrder(50, 1).Of(4));
        CollectionAssert.AreNotEqual(new RowOrder(50, 1).Of(4), new RowOrder(50, 1).Of(5));
        CollectionAssert.AreNotEqual(new RowOrder(50, 1).Of(4), new RowOrder(50, 2).Of(4));
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 50).ToArray(), new RowOrder(50, 1).Of(4));
    }

    /// <remarks>The expected orders are those of another implementation of the shuffle. A checkpoint is continued in the order in which it was begun.</remarks>
    [TestMethod]
    public void TheOrderStaysTheSameFromVersionToVersion()
    {
        CollectionAssert.AreEqual(new[] { 2, 7, 8, 1, 4, 6, 9, 0, 5, 3 }, new RowOrder(10, 1).Of(4));
        CollectionAssert.AreEqual(new[] { 1, 3, 5, 4, 2, 9, 0, 7, 6, 8 }, new RowOrder(10, 1, new int[10]).Of(4));
    }

    [TestMethod]
    public void TooManyGroupsAreRefused() =>
        Assert.Contains("257 different values", Assert.ThrowsExactly<InvalidDataException>(() => new RowOrder(257, 1, [.. Enumerable.Range(0, 257)], 0)).Message);
}
