using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Tests.Bloom;

[TestClass]
public sealed class PoolingTests
{
    private static readonly float[] Tokens = [1, -4, 3, 2, -5, 6]; // three tokens of two features

    [TestMethod]
    [DataRow(PoolingModes.FirstToken, 0, 1f, -4f)]
    [DataRow(PoolingModes.Max, 0, 3f, 6f)]
    [DataRow(PoolingModes.Mean, 0, -1 / 3f, 4 / 3f)]
    [DataRow(PoolingModes.MeanSqrtLength, 0, -0.57735026f, 2.3094011f)]
    [DataRow(PoolingModes.WeightedMean, 0, -8 / 6f, 18 / 6f)]
    [DataRow(PoolingModes.LastToken, 0, -5f, 6f)]
    [DataRow(PoolingModes.FirstToken, 1, 3f, 2f)]
    [DataRow(PoolingModes.Max, 1, 3f, 6f)]
    [DataRow(PoolingModes.Mean, 1, -1f, 4f)]
    [DataRow(PoolingModes.MeanSqrtLength, 1, -1.4142135f, 5.656854f)]
    [DataRow(PoolingModes.WeightedMean, 1, -9 / 5f, 22 / 5f)]
    [DataRow(PoolingModes.LastToken, 2, -5f, 6f)]
    public void ModesPoolTheTokensFromTheirStartOn(PoolingModes mode, int poolFrom, float first, float second)
    {
        float[] vector = Pool(new PoolingOptions(mode), poolFrom);
        Assert.AreEqual(first, vector[0], 1e-6f);
        Assert.AreEqual(second, vector[1], 1e-6f);
    }

    [TestMethod]
    public void CombinedModesFollowEachOtherInTheOrderOfTheReference() =>
        CollectionAssert.AreEqual(new float[] { 1, -4, 3, 6, -5, 6 }, Pool(new PoolingOptions(PoolingModes.LastToken | PoolingModes.Max | PoolingModes.FirstToken)));

    [TestMethod]
    public void TruncationComesBeforeNormalisation()
    {
        CollectionAssert.AreEqual(new float[] { 0.6f, 0.8f, 0 }, Pool(new PoolingOptions(PoolingModes.FirstToken | PoolingModes.LastToken, 3, true), 0, [3, 4, 0, 9]));
        CollectionAssert.AreEqual(new float[] { -1 }, Pool(new PoolingOptions(PoolingModes.LastToken, 1, true)));
    }

    [TestMethod]
    [DataRow(3)]
    [DataRow(int.MaxValue)]
    public void NothingLeftToPoolGivesZeros(int poolFrom) =>
        CollectionAssert.AreEqual(new float[4], Pool(new PoolingOptions(PoolingModes.Max | PoolingModes.Mean, 0, true), poolFrom));

    [TestMethod]
    public void AZeroVectorStaysZeroWhenNormalised() =>
        CollectionAssert.AreEqual(new float[2], Pool(new PoolingOptions(PoolingModes.Mean, 0, true), 0, [0, 0]));

    [TestMethod]
    public void LargeElementsDoNotOverflowWhenNormalised() =>
        Assert.AreEqual(0.6f, Pool(new PoolingOptions(PoolingModes.Mean, 0, true), 0, [3e30f, 4e30f])[0], 1e-6f);

    private static float[] Pool(PoolingOptions options, int poolFrom = 0, float[]? tokens = null)
    {
        var vector = new float[Pooling.Dimension(2, options)];
        Array.Fill(vector, float.NaN);
        Pooling.Apply(tokens ?? Tokens, 2, poolFrom, options, vector);
        return vector;
    }
}
