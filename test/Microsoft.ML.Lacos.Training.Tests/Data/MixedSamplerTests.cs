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

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking)]
    [DataRow(TrainingLoss.CoSent)]
    public void PositionsWhereNoRunCanHaveBeenAreRefusedAndChangeNothing(TrainingLoss loss)
    {
        // 7 and 3 batches a pass.
        LoadedDataset[] datasets = [Dataset(28, 1, loss), Dataset(12, 1, loss)];
        var sampler = new MixedSampler(datasets, 1, false);
        for (int i = 0; i < 20; i++)
        {
            sampler.Next();
        }
        SamplerPosition[] positions = [.. sampler.Positions];
        CollectionAssert.AreEqual(new[] { new SamplerPosition(1, 3), new SamplerPosition(3, 1) }, positions);
        SamplerPosition[] impossible = [new(-1, 3), new(1, -1), new(1, 0), new(0, 3), new(0, 7), new(0, 10), new(1, 2), new(1, 4), new(1, 8), new(2, 3), new(int.MaxValue, 3), new(1, int.MaxValue)];
        foreach (SamplerPosition position in impossible)
        {
            Assert.ThrowsExactly<InvalidDataException>(() => sampler.MoveTo(20, [position, positions[1]]), position.ToString());
        }
        Assert.ThrowsExactly<InvalidDataException>(() => sampler.MoveTo(20, [positions[0], new SamplerPosition(-1, 0)]));
        Assert.ThrowsExactly<InvalidDataException>(() => sampler.MoveTo(19, positions));
        Assert.ThrowsExactly<InvalidDataException>(() => sampler.MoveTo(22, positions));
        CollectionAssert.AreEqual(positions, sampler.Positions.ToArray());
        sampler.MoveTo(20, positions);
        sampler.MoveTo(0, [default, default]);
        Assert.AreEqual(new SamplerPosition(0, 0), sampler.Positions[0]);
    }

    [TestMethod]
    public void EveryPlaceOfALongRunIsPossible()
    {
        // Rows that share texts: passes of distinct texts differ in their batches.
        int[] texts = [.. Enumerable.Range(0, 60).Select(row => row * row % 23)];
        var tokens = new TokenStore(long.MaxValue, "");
        for (int text = 0; text < 100; text++)
        {
            tokens.Add(new int[2]);
        }
        var settings = DatasetSettings.OfInput(new LacosBloomTrainer.Options { BatchSize = 4 });
        LoadedDataset[] datasets = [new(settings, new TrainingSet([texts, [.. Enumerable.Range(23, 60)]], tokens)), Dataset(30, 2, TrainingLoss.CoSent)];
        var sampler = new MixedSampler(datasets, 1, true);
        var resumed = new MixedSampler(datasets, 1, true);
        for (int step = 0; step < 200; step++)
        {
            resumed.MoveTo(step, sampler.Positions);
            (MixedBatch expected, MixedBatch actual) = (sampler.Next(), resumed.Next());
            Assert.AreEqual(expected.Dataset, actual.Dataset);
            CollectionAssert.AreEqual(expected.Rows, actual.Rows);
        }
    }

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking)]
    [DataRow(TrainingLoss.CoSent)]
    public void ARowThatDoesNotComeOutEvenIsNotSaidToShareATextWithOthers(TrainingLoss loss)
    {
        var sampler = new MixedSampler([Dataset(5, null, loss)], 1, false);
        Assert.HasCount(4, sampler.Next().Rows);
        Assert.AreEqual(1, sampler.StepsPerEpoch, "the fifth row is alone");
        Assert.IsEmpty(sampler.Notes);
    }

    private static LoadedDataset Dataset(int rows, double? weight, TrainingLoss loss = TrainingLoss.MultipleNegativesRanking)
    {
        var tokens = new TokenStore(long.MaxValue, "");
        for (int text = 0; text < 2 * rows; text++)
        {
            tokens.Add(new int[1 + (text % 5)]);
        }
        var settings = DatasetSettings.OfInput(new LacosBloomTrainer.Options { BatchSize = 4, Weight = weight, Loss = loss });
        return new LoadedDataset(settings, new TrainingSet([[.. Enumerable.Range(0, rows)], [.. Enumerable.Range(rows, rows)]], tokens));
    }
}
