using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Tests.Data;

[TestClass]
public sealed class MixedSamplerTests
{
    [TestMethod]
    public void StepsAreSharedByWeightInEveryStretch()
    {
        var sampler = new MixedSampler([Dataset(40, 5), Dataset(40, 3), Dataset(40, 2)], 1, false);
        int[] drawn = [.. Enumerable.Range(0, 100).Select(_ => sampler.Next().Dataset)];
        foreach (int[] ten in drawn.Chunk(10))
        {
            CollectionAssert.AreEqual(new[] { 5, 3, 2 }, Enumerable.Range(0, 3).Select(dataset => ten.Count(number => number == dataset)).ToArray());
        }
    }

    [TestMethod]
    public void WithoutWeightsAPassSeesEachRowOnce()
    {
        var sampler = new MixedSampler([Dataset(40, null), Dataset(12, null)], 1, false);
        Assert.AreEqual(13, sampler.StepsPerEpoch);
        MixedBatch[] batches = [.. Enumerable.Range(0, 13).Select(_ => sampler.Next())];
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 40).ToArray(), batches.Where(batch => batch.Dataset == 0).SelectMany(batch => batch.Rows).ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 12).ToArray(), batches.Where(batch => batch.Dataset == 1).SelectMany(batch => batch.Rows).ToArray());
    }

    [TestMethod]
    public void AStepAndPositionsContinueTheSameBatches()
    {
        LoadedDataset[] datasets = [Dataset(30, 1.7), Dataset(9, 1), Dataset(50, 0.4)];
        var whole = new MixedSampler(datasets, 1, true);
        for (int i = 0; i < 37; i++)
        {
            whole.Next();
        }
        var resumed = new MixedSampler(datasets, 1, true);
        resumed.MoveTo(37, whole.Positions);
        for (int i = 0; i < 60; i++)
        {
            (MixedBatch expected, MixedBatch actual) = (whole.Next(), resumed.Next());
            Assert.AreEqual(expected.Dataset, actual.Dataset);
            CollectionAssert.AreEqual(expected.Rows, actual.Rows);
        }
        Assert.ThrowsExactly<InvalidDataException>(() => resumed.MoveTo(37, [new SamplerPosition(0, 0)]));
    }

    private static LoadedDataset Dataset(int rows, double? weight)
    {
        var tokens = new TokenStore(long.MaxValue, "");
        for (int text = 0; text < 2 * rows; text++)
        {
            tokens.Add(new int[1 + (text % 5)]);
        }
        var settings = DatasetSettings.OfInput(new LacosBloomTrainer.Options { BatchSize = 4, Weight = weight });
        return new LoadedDataset(settings, new TrainingSet([[.. Enumerable.Range(0, rows)], [.. Enumerable.Range(rows, rows)]], tokens));
    }
}
