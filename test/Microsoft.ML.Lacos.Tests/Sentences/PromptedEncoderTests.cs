using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

/// <summary>How often a prompt is computed, and how long what it took stays.</summary>
[TestClass]
public sealed class PromptedEncoderTests
{
    private static readonly int[] Ids = [.. Enumerable.Range(100, 200)];

    private static readonly LacosModel Model = LacosModel.LoadDefault();

    [ClassCleanup]
    public static void Cleanup() => Model.Dispose();

    [TestMethod]
    public void FirstCallsAtTheSameTimeComputeThePromptOnce()
    {
        using NativeBloomEncoder native = Native();
        int prepared = 0;
        using var encoder = new PromptedEncoder(native, () =>
        {
            Interlocked.Increment(ref prepared);

            // Long enough for the others to ask for it, too.
            Thread.Sleep(200);
            return native.Prepare(Ids);
        });
        float[] expected = Encode(new PromptedEncoder(native, []));
        using var start = new Barrier(8);
        var vectors = new float[8][];
        Thread[] callers = [.. Enumerable.Range(0, 8).Select(caller => new Thread(() =>
        {
            start.SignalAndWait();
            vectors[caller] = Encode(encoder);
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Assert.AreEqual(1, prepared);
        foreach (float[] vector in vectors)
        {
            CollectionAssert.AreEqual(expected, vector);
        }
    }

    [TestMethod]
    public void AnErrorOfThePromptIsThatOfOneCall()
    {
        using NativeBloomEncoder native = Native();
        int prepared = 0;
        using var encoder = new PromptedEncoder(native, () => ++prepared == 1 ? throw new InsufficientMemoryException() : native.Prepare(Ids));
        Assert.ThrowsExactly<InsufficientMemoryException>(() => Encode(encoder));
        CollectionAssert.AreEqual(Encode(new PromptedEncoder(native, [])), Encode(encoder));
        Encode(encoder);
        Assert.AreEqual(2, prepared);
    }

    // Alone, because other tests make the garbage collector run.
    [TestMethod]
    [DoNotParallelize]
    public void ForgottenPromptsAreCollectedBeforeThereAreMany()
    {
        using NativeBloomEncoder native = Native();

        // How much native memory makes it run depends on the heap, and thus on what other tests left there.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var forgotten = new List<WeakReference>();
        for (int i = 0; i < 40 && forgotten.TrueForAll(prompt => prompt.IsAlive); i++)
        {
            forgotten.Add(Forget(native));
        }
        Assert.IsTrue(forgotten.Exists(prompt => !prompt.IsAlive), $"{forgotten.Count} prompts are still there.");
    }

    private static WeakReference Forget(NativeBloomEncoder native) => new(native.Prepare(Ids));

    private static float[] Encode(PromptedEncoder encoder)
    {
        int[] ids = [.. Ids, 7, 8, 9];
        var vector = new float[Model.Weights.Config.HiddenSize];
        encoder.Encode(ids, [0, ids.Length], [], new PoolingOptions(PoolingModes.Mean, vector.Length), vector);
        return vector;
    }

    private static NativeBloomEncoder Native()
    {
        if (BloomEncoders.ManagedReason is string reason)
        {
            Assert.Inconclusive($"Not run: {reason}, and only the native encoder computes prompts ahead.");
        }
        return new NativeBloomEncoder(Model.Weights, BloomCompute.Int8);
    }
}
