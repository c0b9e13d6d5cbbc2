using System.Numerics.Tensors;
using Lacos.Cli.Mining;

namespace Lacos.Cli.Tests.Mining;

[TestClass]
public sealed class HardNegativesTests
{
    private const int Dimension = 24;

    [TestMethod]
    [DataRow(1, 0, 1, null, null, null, null)]
    [DataRow(3, 2, 3, 0.05, null, null, null)]
    [DataRow(2, 0, 2, null, 0.1, 0.4, 0.1)]
    [DataRow(5, 1, 5, 0.5, null, null, -0.05)]
    public void FindsWhatComparingEverythingWithEverythingFinds(int negatives, int skip, int range, double? relative, double? absolute, double? maximum, double? minimum)
    {
        // More texts than a block and more anchors than a group, with equal texts among them, whose order must not depend on threads.
        (float[][] texts, VectorTable corpus) = Table(VectorTable.BlockRows + 700, seed: 1);
        (float[][] anchors, VectorTable anchorTable) = Table(37, seed: 2);
        int[][] trueTexts = [.. Enumerable.Range(0, anchors.Length).Select(i => new[] { i * 5, (i * 11) + 3 })];
        HashSet<int>[] excluded = [.. trueTexts.Select(own => new HashSet<int>(own) { 17 })];
        var settings = new MiningSettings(negatives, skip, range, relative, absolute, maximum, minimum, 1);
        MinedAnchor[] mined = new HardNegatives(corpus, settings, threads: 2).Find(anchorTable, trueTexts, excluded, 0, CancellationToken.None);
        int shortOnes = 0;
        for (int i = 0; i < anchors.Length; i++)
        {
            float least = trueTexts[i].Min(text => TensorPrimitives.Dot<float>(anchors[i], texts[text]));
            Assert.AreEqual(least, mined[i].LeastTrue);
            (float Score, int Index)[] expected =
            [
                .. texts.Select((text, index) => (Score: TensorPrimitives.Dot<float>(anchors[i], text), index))
                    .Where(item => !excluded[i].Contains(item.index))
                    .Where(item => relative is null || item.Score <= (float)(least - (Math.Abs(least) * relative.Value)))
                    .Where(item => absolute is null || item.Score <= (float)(least - absolute.Value))
                    .Where(item => (maximum is null || item.Score <= (float)maximum) && (minimum is null || item.Score >= (float)minimum))
                    .OrderByDescending(item => item.Score).ThenBy(item => item.index).Skip(skip).Take(negatives),
            ];
            CollectionAssert.AreEqual(expected, mined[i].Negatives, $"anchor {i}");
            shortOnes += expected.Length < negatives ? 1 : 0;
        }
        Assert.IsLessThan(anchors.Length, shortOnes, "some anchors must have negatives for this to mean anything");
    }

    [TestMethod]
    public void MoreTextsThanThereAreCanBeSkippedAndChosenFrom()
    {
        (_, VectorTable corpus) = Table(60, seed: 1);
        (_, VectorTable anchors) = Table(4, seed: 2);
        int[][] trueTexts = [.. Enumerable.Range(0, 4).Select(i => new[] { i })];
        CollectionAssert.AreEqual(Find(skip: 5, range: 60), Find(skip: 5, range: int.MaxValue));
        Assert.IsEmpty(Find(skip: int.MaxValue, range: 3));

        (float, int)[] Find(int skip, int range) =>
            [.. new HardNegatives(corpus, new MiningSettings(3, skip, range, null, null, null, null, 1), threads: 1).Find(anchors, trueTexts, [.. trueTexts.Select(own => new HashSet<int>(own))], 0, CancellationToken.None).SelectMany(anchor => anchor.Negatives)];
    }

    [TestMethod]
    public void TheChoiceAmongARangeGoesBySeedAndAnchorAndStaysInTheRange()
    {
        (_, VectorTable corpus) = Table(600, seed: 1);
        (_, VectorTable anchors) = Table(40, seed: 2);
        int[][] trueTexts = [.. Enumerable.Range(0, 40).Select(i => new[] { i })];
        HashSet<int>[] excluded = [.. trueTexts.Select(own => new HashSet<int>(own))];
        MinedAnchor[] Find(int seed, int negatives) => new HardNegatives(corpus, new MiningSettings(negatives, 2, 10, null, null, null, null, seed), threads: 2).Find(anchors, trueTexts, excluded, 100, CancellationToken.None);
        MinedAnchor[] all = Find(1, 10);
        MinedAnchor[] first = Find(7, 3);
        MinedAnchor[] again = Find(7, 3);
        MinedAnchor[] other = Find(8, 3);
        for (int i = 0; i < 40; i++)
        {
            CollectionAssert.AreEqual(first[i].Negatives, again[i].Negatives);
            CollectionAssert.IsSubsetOf(first[i].Negatives, all[i].Negatives);
            CollectionAssert.AreEqual(first[i].Negatives.OrderByDescending(item => item.Score).ToArray(), first[i].Negatives);
        }
        Assert.IsTrue(Enumerable.Range(0, 40).Any(i => !first[i].Negatives.SequenceEqual(other[i].Negatives)), "another seed chooses otherwise");
        Assert.IsGreaterThan(1, first.Select((mined, i) => Array.IndexOf(all[i].Negatives, mined.Negatives[0])).Distinct().Count(), "anchors choose by themselves");
    }

    [TestMethod]
    [DataRow(0.5f, 0.4f)]
    [DataRow(-0.5f, -0.6f)]
    [DataRow(0f, 0f)]
    public void ARelativeMarginIsBelowThePositiveWhateverItsSign(float leastTrue, float ceiling) =>
        Assert.AreEqual(ceiling, new MiningSettings(1, 0, 1, 0.2, null, null, null, 1).Ceiling(leastTrue), 1e-6f);

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void NoMoreThreadsRunThanAreAskedFor(int threads)
    {
        (_, VectorTable corpus) = Table(50, seed: 1);
        (_, VectorTable anchors) = Table(320, seed: 2);
        var trueTexts = new CountingList([.. Enumerable.Range(0, 320).Select(i => new[] { i % 50 })]);
        HashSet<int>[] excluded = [.. Enumerable.Range(0, 320).Select(_ => new HashSet<int>())];
        new HardNegatives(corpus, new MiningSettings(1, 0, 1, null, null, null, null, 1), threads).Find(anchors, trueTexts, excluded, 0, CancellationToken.None);
        Assert.IsLessThanOrEqualTo(threads, trueTexts.MostAtOnce);
    }

    private static (float[][] Vectors, VectorTable Table) Table(int count, int seed)
    {
        var random = new Random(seed);
        var vectors = new float[count][];
        for (int i = 0; i < count; i++)
        {
            vectors[i] = i % 9 == 8 ? [.. vectors[i - 4]] : [.. Enumerable.Range(0, Dimension).Select(_ => (random.NextSingle() * 2) - 0.8f)];
        }
        var table = new VectorTable(Dimension);
        foreach (float[][] block in vectors.Chunk(VectorTable.BlockRows))
        {
            table.Add([.. block.SelectMany(vector => vector)]);
        }
        return ([.. Enumerable.Range(0, count).Select(i => table[i].ToArray())], table);
    }

    private sealed class CountingList(int[][] items) : IReadOnlyList<int[]>
    {
        private readonly Lock _lock = new();
        private int _now;

        public int MostAtOnce { get; private set; }

        public int Count => items.Length;

        public int[] this[int index]
        {
            get
            {
                lock (_lock)
                {
                    MostAtOnce = Math.Max(MostAtOnce, ++_now);
                }
                Thread.Sleep(1);
                lock (_lock)
                {
                    _now--;
                }
                return items[index];
            }
        }

        public IEnumerator<int[]> GetEnumerator() => items.AsEnumerable().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
