using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Optimizers;

[TestClass]
public sealed class AdamOptimizerTests
{
    [TestMethod]
    public void AdamWMakesTheStepsOfTorchsAdamWWeightDecayIncluded()
    {
        const double rate = 1e-2;
        const double decay = 0.1;
        using torch.Tensor ours = Values(1000, 1).requires_grad_();
        using var theirs = new TorchSharp.Modules.Parameter(Values(1000, 1));
        var optimizer = new AdamW([("p", ours)], new AdamOptions(rate, WeightDecay: decay));
        using TorchSharp.Modules.AdamW reference = torch.optim.AdamW([theirs], rate, weight_decay: decay);
        for (int step = 0; step < 10; step++)
        {
            using torch.Tensor gradient = Values(1000, 100 + step);
            ours.grad = gradient;
            using torch.Tensor copy = gradient.clone();
            theirs.grad = copy;
            optimizer.Step();
            reference.step();
        }
        using torch.Tensor difference = (ours - theirs).abs().max();
        Assert.IsLessThan(2e-6f, difference.item<float>());
    }

    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    [DataRow(-1e-3)]
    public void ALearningRateThatIsNoneIsRefusedAndTheOneInForceStays(double rate)
    {
        using torch.Tensor values = Values(8, 1);
        var optimizer = new AdamW([("p", values)], new AdamOptions(LearningRate: 0.5));
        Assert.AreEqual("LearningRate", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => optimizer.LearningRate = rate).ParamName);
        Assert.AreEqual(0.5, optimizer.LearningRate);
    }

    [TestMethod]
    public void MissingTensorsNamesAndArraysAreRefused()
    {
        using torch.Tensor values = Values(8, 1);
        Assert.Contains("'p' is null", Assert.ThrowsExactly<ArgumentException>(() => new AdamW([("p", null!)])).Message);
        Assert.Contains("has no name", Assert.ThrowsExactly<ArgumentException>(() => new AdamW([(null!, values)])).Message);
        Assert.Contains("has nothing for 'steps'", Assert.ThrowsExactly<InvalidDataException>(() => new AdamW([("p", values)]).Restore(new Dictionary<string, Array> { ["steps"] = null! })).Message);
    }

    [TestMethod]
    public void ABlockLargerThanTheTensorIsTheWholeTensor()
    {
        using torch.Tensor one = Values(5000, 1).requires_grad_();
        using torch.Tensor other = Values(5000, 1).requires_grad_();
        AdamOptimizer[] optimizers = [new Adam8bit([("p", one)], blockSize: int.MaxValue), new Adam8bit([("p", other)], blockSize: 5000)];
        using torch.Tensor gradient = Values(5000, 2);
        (one.grad, other.grad) = (gradient, gradient);
        Array.ForEach(optimizers, optimizer => optimizer.Step());
        Assert.IsTrue(one.allclose(other, rtol: 0, atol: 0));
    }

    [TestMethod]
    [DataRow(256)]
    [DataRow(2048)]
    public void EightBitMomentsKeepNearTheSinglePrecisionOnes(int blockSize)
    {
        using torch.Tensor eight = Values(10_000, 1).requires_grad_();
        using torch.Tensor full = Values(10_000, 1).requires_grad_();
        AdamOptimizer[] optimizers = [new Adam8bit([("p", eight)], blockSize: blockSize), new AdamW([("p", full)])];
        for (int step = 0; step < 20; step++)
        {
            using torch.Tensor gradient = Values(10_000, 100 + step);
            eight.grad = gradient;
            full.grad = gradient;
            Array.ForEach(optimizers, optimizer => optimizer.Step());
        }
        using torch.Tensor start = Values(10_000, 1);
        float moved = (full - start).abs().mean().item<float>();
        float apart = (eight - full).abs().mean().item<float>();
        Assert.IsGreaterThan(0, apart, "the moments are quantised");
        Assert.IsLessThan(0.05f * moved, apart);
    }

    [TestMethod]
    public void MomentsTakeAQuarterOfTheMemoryAndSmallTensorsKeepTheirsWhole()
    {
        using torch.Tensor large = Values(8192, 1);
        using torch.Tensor limit = Values(4096, 1);
        using torch.Tensor small = Values(4095, 1);
        Assert.AreEqual(8 * 8192L, new AdamW([("p", large)]).StateByteSize);
        Assert.AreEqual((2 * 8192) + (8 * 32L), new Adam8bit([("p", large)]).StateByteSize);
        Assert.AreEqual((2 * 8192) + (8 * 4L), new Adam8bit([("p", large)], blockSize: 2048).StateByteSize);
        Assert.AreEqual((2 * 4096) + (8 * 16L), new Adam8bit([("p", limit)]).StateByteSize, "bitsandbytes keeps fewer than 4096 elements whole");
        Assert.AreEqual(8 * 4095L, new Adam8bit([("p", small)]).StateByteSize);
    }

    [TestMethod]
    public void ARestoredStateContinuesToTheBit()
    {
        using torch.Tensor whole = Values(5000, 1).requires_grad_();
        using torch.Tensor small = Values(100, 2).requires_grad_();
        var first = new Adam8bit([("large", whole), ("small", small)]);
        StepAll(first, 1);
        StepAll(first, 2);
        using torch.Tensor wholeCopy = whole.detach().clone().requires_grad_();
        using torch.Tensor smallCopy = small.detach().clone().requires_grad_();
        Dictionary<string, Array> saved = first.State.ToDictionary(array => array.Name, array => (Array)array.Values.Clone());
        StepAll(first, 3);
        var second = new Adam8bit([("large", wholeCopy), ("small", smallCopy)]);
        second.Restore(saved);
        StepAll(second, 3);
        CollectionAssert.AreEqual(whole.data<float>().ToArray(), wholeCopy.data<float>().ToArray());
        CollectionAssert.AreEqual(small.data<float>().ToArray(), smallCopy.data<float>().ToArray());
    }

    [TestMethod]
    public void AStateOfAnotherConfigurationIsRefusedAndChangesNothing()
    {
        using torch.Tensor weights = Values(8192, 1).requires_grad_();
        var optimizer = new Adam8bit([("p", weights)]);
        StepAll(optimizer, 1);
        byte[] before = [.. (byte[])optimizer.State.Single(array => array.Name == "p.moment1.codes").Values];
        Dictionary<string, Array> Good() => new Adam8bit([("p", weights)]).State.ToDictionary(array => array.Name, array => array.Values);
        Dictionary<string, Array> otherBlocks = new Adam8bit([("p", weights)], blockSize: 2048).State.ToDictionary(array => array.Name, array => array.Values);
        Dictionary<string, Array> missing = Good();
        missing.Remove("steps");
        Dictionary<string, Array> extra = Good();
        extra["q.moment1"] = new float[1];
        Dictionary<string, Array> damaged = Good();
        ((float[])damaged["p.moment2.absmax"])[3] = float.NaN;
        foreach (Dictionary<string, Array> state in new[] { otherBlocks, missing, extra, damaged })
        {
            Assert.ThrowsExactly<InvalidDataException>(() => optimizer.Restore(state));
            CollectionAssert.AreEqual(before, (byte[])optimizer.State.Single(array => array.Name == "p.moment1.codes").Values);
        }
    }

    [TestMethod]
    public void ATensorWithoutAGradientIsLeftAlone()
    {
        using torch.Tensor used = Values(5000, 1).requires_grad_();
        using torch.Tensor unused = Values(5000, 2).requires_grad_();
        float[] before = [.. unused.data<float>()];
        var optimizer = new Adam8bit([("used", used), ("unused", unused)], new AdamOptions(WeightDecay: 0.5));
        using torch.Tensor gradient = Values(5000, 3);
        used.grad = gradient;
        optimizer.Step();
        CollectionAssert.AreEqual(before, unused.data<float>().ToArray());
        CollectionAssert.AreEqual(new long[] { 1, 0 }, (long[])optimizer.State[0].Values);
        optimizer.ZeroGradients();
        optimizer.Step();
        Assert.AreEqual(1, ((long[])optimizer.State[0].Values)[0]);
    }

    [TestMethod]
    public void AGradientThatIsNotFiniteTouchesOnlyItsOwnWeight()
    {
        using torch.Tensor weights = Values(4099, 1).requires_grad_();
        float[] before = [.. weights.data<float>()];
        var optimizer = new Adam8bit([("p", weights)]);
        using torch.Tensor gradient = Values(4099, 3);
        int[] bad = [5, 300, 4098];
        float[] wrong = [float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        for (int i = 0; i < bad.Length; i++)
        {
            gradient.data<float>()[bad[i]] = wrong[i];
        }
        weights.grad = gradient;
        optimizer.Step();
        float[] after = [.. weights.data<float>()];
        for (int i = 0; i < after.Length; i++)
        {
            Assert.AreEqual(!bad.Contains(i), after[i] != before[i], $"element {i}");
            Assert.IsTrue(float.IsFinite(after[i]));
        }
    }

    [TestMethod]
    public void AStrideOfItsOwnMakesNoDifference()
    {
        using torch.Tensor packed = Values(80 * 64, 1).reshape(80, 64).requires_grad_();
        using torch.Tensor strided = Values(80 * 64, 1).reshape(80, 64).t().contiguous().t().requires_grad_();
        Assert.IsFalse(strided.is_contiguous());
        using torch.Tensor gradient = Values(80 * 64, 2).reshape(80, 64);
        packed.grad = gradient;
        strided.grad = gradient;
        new Adam8bit([("p", packed)]).Step();
        new Adam8bit([("p", strided)]).Step();
        using torch.Tensor difference = (packed - strided).abs().max();
        Assert.AreEqual(0f, difference.item<float>());
    }

    [TestMethod]
    public void ResultsDoNotDependOnWhereATensorIsCutIntoVectors()
    {
        // The last elements of an odd length go through the scalar loop, those of the longer tensor through vectors.
        using torch.Tensor longer = Values(1024, 1).requires_grad_();
        using torch.Tensor shorter = Values(1024, 1).narrow(0, 0, 1021).clone().requires_grad_();
        var options = new AdamOptions(WeightDecay: 0.01);
        AdamOptimizer[] optimizers = [new AdamW([("p", longer)], options), new AdamW([("p", shorter)], options)];
        for (int step = 0; step < 5; step++)
        {
            using torch.Tensor gradient = Values(1024, 10 + step);
            using torch.Tensor part = gradient.narrow(0, 0, 1021).clone();
            longer.grad = gradient;
            shorter.grad = part;
            Array.ForEach(optimizers, optimizer => optimizer.Step());
        }
        CollectionAssert.AreEqual(longer.data<float>().ToArray()[..1021], shorter.data<float>().ToArray());
    }

    [TestMethod]
    public void WhatCannotBeTrainedIsRefusedWithItsName()
    {
        using torch.Tensor doubles = torch.zeros(10, dtype: torch.ScalarType.Float64);
        using torch.Tensor floats = torch.zeros(10);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new AdamW([("d", doubles)])).Message, "'d' is Float64");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new AdamW([("p", floats), ("p", floats)])).Message, "named 'p'");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new AdamW([("p", floats)], new AdamOptions(LearningRate: double.NaN)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new AdamW([("p", floats)], new AdamOptions(Beta2: 1)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Adam8bit([("p", floats)], blockSize: 0));
    }

    private static void StepAll(AdamOptimizer optimizer, int seed)
    {
        foreach ((_, torch.Tensor value) in optimizer.Parameters)
        {
            using torch.Tensor gradient = Values((int)value.NumberOfElements, seed);
            value.grad = gradient;
        }
        optimizer.Step();
    }

    private static torch.Tensor Values(int count, int seed)
    {
        var random = new Random(seed);
        return torch.tensor(Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray());
    }
}
