using Lacos.Cli.Input;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class ShardTests
{
    [TestMethod]
    public void ShardsCoverEachRowOnceAndDifferByOneAtMost()
    {
        foreach (long rows in (long[])[0, 1, 2, 6, 7, 8, 9000, long.MaxValue])
        {
            foreach (int count in (int[])[1, 2, 3, 7, Shard.Most])
            {
                long next = 0;
                long least = long.MaxValue;
                long most = 0;
                for (int i = 1; i <= count; i++)
                {
                    (long first, long end) = new Shard(i, count).RowsOf(rows);
                    Assert.AreEqual(next, first);
                    (next, least, most) = (end, Math.Min(least, end - first), Math.Max(most, end - first));
                }
                Assert.AreEqual(rows, next);
                Assert.IsLessThanOrEqualTo(1L, most - least);
            }
        }
    }

    [TestMethod]
    public void NamesSortAsTheRowsDo()
    {
        string[] names = [.. Enumerable.Range(1, 200).Select(i => new Shard(i, 200).PathFor(Path.Combine("out", "a.b.npy")))];
        Assert.AreEqual(Path.Combine("out", "a.b-00003-of-00200.npy"), names[2]);
        CollectionAssert.AreEqual(names, names.Order(StringComparer.Ordinal).ToArray());
    }

    [TestMethod]
    public void TheLastOfTheMostPartsIsAPart()
    {
        Assert.AreEqual(new Shard(Shard.Most, Shard.Most), Shard.Parse("99999/99999"));
        Assert.IsNull(Shard.Parse("99999/100000"));
    }

    [TestMethod]
    public void ARangeOfAFileThatHasBecomeShorterIsRefusedAndNotCutShort()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("in.txt", "a\nb\nc\n");
        var values = new string?[1];
        foreach ((int first, int end) in (ReadOnlySpan<(int, int)>)[(1, 4), (4, 5)])
        {
            using var range = new RangeRecords(RecordReader.Open(path, null, hasHeader: true, Stream.Null), first, end);
            InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Drain(range));
            StringAssert.Contains(error.Message, $"ends after 3 rows where {end} were counted");
        }

        void Drain(RecordReader records)
        {
            while (records.Read([0], values))
            {
            }
        }
    }
}
