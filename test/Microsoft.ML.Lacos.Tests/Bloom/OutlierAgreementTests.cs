using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>The native and the managed encoder take the same outlier columns out of a sentence.</summary>
[TestClass]
public sealed class OutlierAgreementTests
{
    /// <remarks>
    /// With every column an outlier no code is left, and the two differ by the last bits of fp32 sums alone. With codes, those last bits now and then carry a number across
    /// the boundary of two codes (about one short sentence in seven), which moves that sentence by up to a few 1e-5; the mean stays far below.
    /// </remarks>
    [TestMethod]
    [DataRow(1e-30f, 1e-6, 1e-6)]
    [DataRow(2.5f, 1e-5, 1e-4)]
    public void VectorsAgreeWithAThreshold(float threshold, double meanDistance, double largestDistance)
    {
        NativeKernels.Require();
        var config = new BloomConfig(96, 3, 6, 211);
        using var model = new RandomBloom(config, QuantizationScheme.Rowwise);
        var batch = RandomBloom.Batch(config.VocabularySize, 1, 12, 9, 1, 30, 7, 2, 19, 25, 40, 5);
        using var native = new NativeBloomEncoder(model.Weights, BloomCompute.Int8, threshold, 2);
        using var managed = new ManagedBloomEncoder(model.Weights, BloomCompute.Int8, threshold, 2);
        float[][] expected = managed.Vectors(batch, EncoderCalls.Mean), actual = native.Vectors(batch, EncoderCalls.Mean);
        Assert.IsLessThan(meanDistance, 1 - EncoderCalls.MeanCosine(expected, actual));
        for (int row = 0; row < expected.Length; row++)
        {
            Assert.IsLessThan(largestDistance, 1 - EncoderCalls.MeanCosine([expected[row]], [actual[row]]), $"row {row}");
        }
    }
}
