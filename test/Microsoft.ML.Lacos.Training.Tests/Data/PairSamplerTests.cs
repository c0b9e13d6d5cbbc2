using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class PairSamplerTests
{
    [TestMethod]
    public void NoTextStandsTwiceInABatchAndEachRowComesOnceAPass()
    {
        var random = new Random(3);
        TrainingSet data = Set([.. Enumerable.Range(0, 200).Select(_ => random.Next(60))], [.. Enumerable.Range(0, 200).Select(_ => random.Next(60))]);
        var sampler = new PairSampler(data, 8, seed: 5, distinct: true, smallest: 1);
        var seen = new List<int>();
        for (int batch = 0; batch < sampler.StepsPerEpoch; batch++)
        {
            int[] rows = sampler.Next();
            seen.AddRange(rows);
            // A row may hold the same text in both columns; two rows never share one.
            int[] texts = [.. rows.SelectMany(row => data.Columns.Select(column => column[row]).Distinct())];
            Assert.HasCount(texts.Length, texts.Distinct());
            Assert.IsLessThanOrEqualTo(8, rows.Length);
        }
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 200).ToArray(), seen);
    }

    [TestMethod]
    public void APositionContinuesTheSameBatchesInLaterPassesToo()
    {
        TrainingSet data = Set([.. Enumerable.Range(0, 30)], [.. Enumerable.Range(30, 30)]);
        var whole = new PairSampler(data, 4, 9, true, 2);
        for (int i = 0; i < 11; i++)
        {
            whole.Next();
        }
        var resumed = new PairSampler(data, 4, 9, true, 2);
        resumed.MoveTo(whole.Position, resumed.PassAt(whole.Position, 11));
        for (int i = 0; i < 20; i++)
        {
            CollectionAssert.AreEqual(whole.Next(), resumed.Next());
        }
        CollectionAssert.AreNotEqual(new PairSampler(data, 4, 9, true, 2).Next(), new PairSampler(data, 4, 10, true, 2).Next());
    }

    [TestMethod]
    public void PairsThatAllShareATextAreRefused()
    {
        TrainingSet data = Set([.. Enumerable.Repeat(0, 20)], [.. Enumerable.Range(1, 20)]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => new PairSampler(data, 4, 1, true, 2)).Message, "20 pairs");
    }

    [TestMethod]
    public void ABucketedBatchHoldsSimilarLengthsAndEachRowStillComesOnce()
    {
        int[] lengths = [.. Enumerable.Range(0, 400).Select(row => 1 + (row * 7919 % 97))];
        TrainingSet data = Set([.. Enumerable.Range(0, 400)], [.. Enumerable.Range(0, 400)], lengths);
        double plain = MeanSpread(new PairSampler(data, 16, 1, distinct: false, 1), data, out _);
        double bucketed = MeanSpread(new PairSampler(data, 16, 1, distinct: false, 1, bucket: true), data, out List<int> rows);
        Assert.IsLessThan(0.2 * plain, bucketed);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 400).ToArray(), rows);
        var sampler = new PairSampler(data, 16, 1, distinct: false, 1, bucket: true);
        int[] firstLengths = [.. Enumerable.Range(0, 8).Select(_ => data.Tokens.LengthOf(sampler.Next()[0]))];
        CollectionAssert.AreNotEqual(firstLengths.Order().ToArray(), firstLengths, "batches do not come in the order of their lengths");
    }

    /// <remarks>The expected order is that of another implementation of the shuffle.</remarks>
    [TestMethod]
    public void BucketedBatchesStayInTheSameOrderFromVersionToVersion()
    {
        int[] rows = [.. Enumerable.Range(0, 6)];
        var sampler = new PairSampler(Set(rows, rows, [1, 2, 3, 4, 5, 6]), 1, seed: 5, distinct: false, smallest: 1, bucket: true);
        CollectionAssert.AreEqual(new[] { 5, 0, 3, 4, 1, 2 }, rows.Select(_ => sampler.Next()[0]).ToArray());
    }

    [TestMethod]
    [DataRow(3, 16, 6)]
    [DataRow(3, 15, 5)]
    [DataRow(7, 5, 1)]
    [DataRow(7, 7, 1)]
    [DataRow(2, 32, 16)]
    public void ABatchTakesAsManyRowsOfEachClassAsFillIt(int classes, int batchSize, int rowsOfClass)
    {
        const int Rows = 420;
        TrainingSet data = OfClasses(Rows, row => row % classes);
        var sampler = new PairSampler(data, batchSize, seed: 1, distinct: true, smallest: 2);
        int[][] batches = [.. Enumerable.Range(0, sampler.StepsPerEpoch).Select(_ => sampler.Next())];
        foreach (int[] batch in batches)
        {
            Assert.IsLessThanOrEqualTo(rowsOfClass, batch.GroupBy(row => data.Classes![row]).Max(group => group.Count()));
            Assert.IsGreaterThan(1, batch.Select(row => data.Classes![row]).Distinct().Count());
        }
        Assert.IsGreaterThan(0.9, batches.Average(batch => batch.Length) / batchSize);
    }

    [TestMethod]
    public void PairsOfOneClassHaveNothingToBeToldFrom() =>
        Assert.Contains("of one class", Assert.ThrowsExactly<InvalidDataException>(() => new PairSampler(OfClasses(20, _ => 3), 4, 1, distinct: true, smallest: 2)).Message);

    [TestMethod]
    public void BalancedRowsStillKeepToOneOfEachClassInABatch()
    {
        const int Rows = 300;
        var tokens = new TokenStore(long.MaxValue, "");
        var data = new TrainingSet([[.. Enumerable.Range(0, Rows)], [.. Enumerable.Range(Rows, Rows)]], tokens)
        {
            Groups = [.. Enumerable.Range(0, Rows).Select(row => row < 270 ? 0 : 1)],
            Classes = [.. Enumerable.Range(0, Rows).Select(row => row % 7)],
        };
        var sampler = new PairSampler(data, 5, seed: 2, distinct: true, smallest: 2, balancePower: 0);
        int[][] batches = [.. Enumerable.Range(0, sampler.StepsPerEpoch).Select(_ => sampler.Next())];
        Assert.IsTrue(Array.TrueForAll(batches, batch => batch.DistinctBy(row => row % 7).Count() == batch.Length));
        Assert.AreEqual(0.5, batches.SelectMany(batch => batch).Average(row => (double)data.Groups[row]), 0.05);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(10)]
    [DataRow(1000)]
    [DataRow(100_000)]
    public void ABatchThatIsClosedEarlyDoesNotEndThePass(int mostWaiting)
    {
        // 1800 rows of one class and 200 of the other: 200 batches of one row each.
        TrainingSet data = OfClasses(2000, row => row % 10 == 0 ? 1 : 0);
        var sampler = new PairSampler(data, 2, seed: 1, distinct: true, smallest: 2, mostWaiting: mostWaiting);
        int[] seen = [.. Enumerable.Range(0, sampler.StepsPerEpoch).SelectMany(_ => sampler.Next())];
        Assert.HasCount(400, seen.Distinct());
        Assert.HasCount(400, seen);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    [DataRow(50)]
    public void EachRowComesOnceHoweverEarlyBatchesAreClosed(int mostWaiting)
    {
        var random = new Random(4);
        TrainingSet data = Set([.. Enumerable.Range(0, 500).Select(_ => random.Next(9))], [.. Enumerable.Range(0, 500).Select(_ => 9 + random.Next(40))]);
        var sampler = new PairSampler(data, 8, seed: 5, distinct: true, smallest: 1, mostWaiting: mostWaiting);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 500).ToArray(), Enumerable.Range(0, sampler.StepsPerEpoch).SelectMany(_ => sampler.Next()).ToArray());
    }

    /// <remarks>A checkpoint is continued in the batches in which it was begun.</remarks>
    [TestMethod]
    public void BatchesAreThoseOfOfferingEveryRowInTurn()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            int rows = 20 + random.Next(300);
            int texts = 3 + random.Next(200);
            int[] Column() => [.. Enumerable.Range(0, rows).Select(_ => random.Next(texts))];
            int classes = 1 + random.Next(12);
            var data = new TrainingSet([Column(), Column(), .. random.Next(2) == 0 ? [] : new[] { Column() }], new TokenStore(long.MaxValue, ""))
            {
                Classes = random.Next(2) == 0 ? null : [.. Enumerable.Range(0, rows).Select(_ => random.Next(classes))],
            };
            (int size, int smallest) = (1 + random.Next(12), 1 + random.Next(2));
            List<int[]> expected = InTurn(data, size, smallest, seed);
            if (expected.Count == 0)
            {
                continue;
            }
            var sampler = new PairSampler(data, size, seed, distinct: true, smallest);
            Assert.AreEqual(expected.Count, sampler.StepsPerEpoch, $"seed {seed}");
            expected.ForEach(batch => CollectionAssert.AreEqual(batch, sampler.Next(), $"seed {seed}"));
        }
    }

    [TestMethod]
    public void MillionsOfComparisonsAreNotNeededWhereMostRowsShareAText()
    {
        // Every row holds one of two texts: batches of two rows, of which the plain way looks at all waiting rows for each.
        const int Rows = 300_000;
        TrainingSet data = Set([.. Enumerable.Range(2, Rows)], [.. Enumerable.Range(0, Rows).Select(row => row % 10 == 0 ? 1 : 0)]);
        Assert.AreEqual(Rows / 10, new PairSampler(data, 32, 1, distinct: true, smallest: 2).StepsPerEpoch);
    }

    private static List<int[]> InTurn(TrainingSet data, int size, int smallest, int seed)
    {
        int rowsOfClass = data.Classes is null ? size : (size + data.Classes.Distinct().Count() - 1) / data.Classes.Distinct().Count();
        var batches = new List<int[]>();
        List<int> left = [.. new RowOrder(data.Count, seed).Of(0)];
        while (left.Count > 0)
        {
            var texts = new HashSet<int>();
            var batch = new List<int>();
            var waiting = new List<int>();
            foreach (int row in left)
            {
                int[] own = [.. data.Columns.Select(column => column[row])];
                bool fits = batch.Count < size && !texts.Overlaps(own) && (data.Classes is null || batch.Count(other => data.Classes[other] == data.Classes[row]) < rowsOfClass);
                (fits ? batch : waiting).Add(row);
                texts.UnionWith(fits ? own : []);
            }
            if (batch.Count >= smallest && (data.Classes is null || batch.DistinctBy(row => data.Classes[row]).Count() > 1))
            {
                batches.Add([.. batch]);
            }
            left = waiting;
        }
        return batches;
    }

    private static double MeanSpread(PairSampler sampler, TrainingSet data, out List<int> rows)
    {
        rows = [];
        double sum = 0;
        for (int batch = 0; batch < sampler.StepsPerEpoch; batch++)
        {
            int[] next = sampler.Next();
            rows.AddRange(next);
            sum += next.Max(row => data.Tokens.LengthOf(row)) - next.Min(row => data.Tokens.LengthOf(row));
        }
        return sum / sampler.StepsPerEpoch;
    }

    private static TrainingSet OfClasses(int rows, Func<int, int> classOf) => new([[.. Enumerable.Range(0, rows)], [.. Enumerable.Range(rows, rows)]], new TokenStore(long.MaxValue, ""))
    {
        Classes = [.. Enumerable.Range(0, rows).Select(classOf)],
    };

    private static TrainingSet Set(int[] first, int[] second, int[]? lengths = null)
    {
        var tokens = new TokenStore(long.MaxValue, "");
        foreach (int length in lengths ?? [])
        {
            tokens.Add(new int[length]);
        }
        return new TrainingSet([first, second], tokens);
    }
}
