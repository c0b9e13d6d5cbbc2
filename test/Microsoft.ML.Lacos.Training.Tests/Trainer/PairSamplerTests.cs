using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

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
        resumed.MoveTo(whole.Position);
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

    private static TrainingSet Set(int[] first, int[] second) => new([first, second], [[1]], null, 0, 0);
}
