using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>A user without the native library gets the same vectors, only later.</summary>
[TestClass]
public sealed class NativeManagedAgreementTests
{
    private const double SmallestCosine = 1 - 1e-5;

    /// <summary>Rows that start pooling at their beginning, in the middle, at their last token and past their end.</summary>
    private static readonly int[] PoolFrom = [0, 4, 0, 29, 7, 1, 18, 5];

    [TestMethod]
    [DataRow(BloomCompute.Int8, QuantizationScheme.Rowwise, 0f)]
    [DataRow(BloomCompute.Int8, QuantizationScheme.Rowwise, 2.5f)]
    [DataRow(BloomCompute.Int8WeightOnly, QuantizationScheme.Rowwise, 0f)]
    [DataRow(BloomCompute.Int8WeightOnly, QuantizationScheme.BlockwiseDynamic, 0f)]
    [DataRow(BloomCompute.Int8WeightOnly, QuantizationScheme.BlockwiseLinear, 0f)]
    [DataRow(BloomCompute.Float32, QuantizationScheme.None, 0f)]
    public void VectorsAgree(BloomCompute compute, QuantizationScheme scheme, float threshold)
    {
        RequireNative();
        foreach (BloomConfig config in (BloomConfig[])[new(96, 3, 6, 211), new(52, 2, 4, 97), new(64, 2, 4, 97, 1e-5f, true)])
        {
            using var model = new RandomBloom(config, scheme);
            var batch = RandomBloom.Batch(config.VocabularySize, 3, 12, 9, 1, 30, 7, 2, 19, 25);
            using IBloomEncoder native = new NativeBloomEncoder(model.Weights, compute, threshold, 2);
            using IBloomEncoder managed = compute == BloomCompute.Float32 ? new Float32BloomEncoder(model.Weights, 2) : new ManagedBloomEncoder(model.Weights, compute, threshold, 2);
            foreach (PoolingModes mode in (PoolingModes[])[PoolingModes.FirstToken, PoolingModes.Max, PoolingModes.Mean, PoolingModes.MeanSqrtLength, PoolingModes.WeightedMean, PoolingModes.LastToken, (PoolingModes)63])
            {
                var options = new PoolingOptions(mode, mode == PoolingModes.Mean ? 33 : 0, true);
                float[][] expected = managed.Vectors(batch, options, PoolFrom), actual = native.Vectors(batch, options, PoolFrom);
                for (int row = 0; row < expected.Length; row++)
                {
                    bool empty = Array.TrueForAll(expected[row], element => element == 0);
                    Assert.AreEqual(empty, Array.TrueForAll(actual[row], element => element == 0), $"{config} {mode} row {row}");
                    double cosine = empty ? 1 : TensorPrimitives.Dot<float>(expected[row], actual[row]);
                    Assert.IsGreaterThanOrEqualTo(SmallestCosine, cosine, $"{config} {mode} row {row}");
                }
            }
        }
    }

    private static void RequireNative()
    {
        if (!NativeLibraryLoader.IsAvailable)
        {
            Assert.Inconclusive($"Not run: no native library here ({NativeLibraryLoader.UnavailableReason}).");
        }
    }
}
