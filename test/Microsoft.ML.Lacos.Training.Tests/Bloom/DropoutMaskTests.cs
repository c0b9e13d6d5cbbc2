using Microsoft.ML.Lacos.Tests.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

[TestClass]
public sealed class DropoutMaskTests
{
    private static readonly DropoutKey Key = new(3, 9);

    [TestMethod]
    [DataRow(0.05)]
    [DataRow(0.5)]
    [DataRow(0.9)]
    public void TheShareThatIsDroppedIsTheRateInEveryTokenAndFeature(double rate)
    {
        const int Tokens = 1000;
        const int Width = 512;
        byte[] kept = Mask(Key, 0, TestRows.Of(RandomBloom.Small, [[.. Enumerable.Repeat(1, Tokens)]]), Width, rate);
        double keep = 1 - rate;
        double spread = Math.Sqrt(rate * keep);
        Assert.AreEqual(keep, kept.Average(value => (double)value), 5 * spread / Math.Sqrt(Tokens * Width));
        for (int token = 0; token < Tokens; token++)
        {
            Assert.AreEqual(keep, kept.Skip(token * Width).Take(Width).Average(value => (double)value), 6 * spread / Math.Sqrt(Width), $"token {token}");
        }
        for (int feature = 0; feature < Width; feature++)
        {
            Assert.AreEqual(keep, Enumerable.Range(0, Tokens).Average(token => (double)kept[(token * Width) + feature]), 6 * spread / Math.Sqrt(Tokens), $"feature {feature}");
        }
    }

    [TestMethod]
    public void SeedStepLayerRowAndPositionEachGiveTheirOwnMask()
    {
        TokenRows rows = TestRows.Of(RandomBloom.Small, [[1, 1, 1]]);
        TokenRows other = TestRows.Of(RandomBloom.Small, [[1, 1, 1]], rowKeys: [7]);
        byte[] mask = Mask(Key, 0, rows, 400, 0.5);
        byte[][] others = [Mask(new(4, 9), 0, rows, 400, 0.5), Mask(new(3, 10), 0, rows, 400, 0.5), Mask(Key, 1, rows, 400, 0.5), Mask(Key, 0, other, 400, 0.5), [.. mask[400..], .. mask[..400]]];
        foreach (byte[] one in others)
        {
            // Two independent masks agree in half of their places.
            Assert.AreEqual(0.5, mask.Zip(one).Average(pair => pair.First == pair.Second ? 1.0 : 0), 6 * 0.5 / Math.Sqrt(1200));
        }
    }

    [TestMethod]
    public void ARowIsTreatedTheSameInEveryBatch()
    {
        byte[] together = Mask(Key, 2, TestRows.Of(RandomBloom.Small, [[1, 2], [3, 4, 5], [6]], rowKeys: [10, 20, 30]), 70, 0.3);
        byte[] alone = Mask(Key, 2, TestRows.Of(RandomBloom.Small, [[3, 4, 5]], rowKeys: [20]), 70, 0.3);
        CollectionAssert.AreEqual(together[(2 * 70)..(5 * 70)], alone);
    }

    [TestMethod]
    public void ElementsDoNotDependOnHowManyFitIntoAVector()
    {
        TokenRows row = TestRows.Of(RandomBloom.Small, [[1]]);
        byte[] wide = Mask(Key, 0, row, 512, 0.3);
        for (int width = 1; width < 140; width++)
        {
            CollectionAssert.AreEqual(wide[..width], Mask(Key, 0, row, width, 0.3), $"width {width}");
        }
    }

    private static byte[] Mask(DropoutKey key, int layer, TokenRows rows, int width, double rate)
    {
        using torch.Tensor mask = DropoutMask.Create(key, layer, rows, width, rate);
        return mask.bytes.ToArray();
    }
}
