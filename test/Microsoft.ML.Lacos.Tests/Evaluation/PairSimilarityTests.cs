using CsCheck;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

[TestClass]
public sealed class PairSimilarityTests
{
    /// <summary>Lengths around the lanes and the blocks of the sum.</summary>
    private static readonly Gen<(float[] Left, float[] Right)> Pairs =
        from length in Gen.OneOf(Gen.Int[0, 20], Gen.Int[120, 140], Gen.Int[250, 300], Gen.Const(1024))
        from left in Gen.Float[-2, 2].Array[length]
        from right in Gen.Float[-2, 2].Array[length]
        select (left, right);

    [TestMethod]
    public void SimilaritiesAreThoseOfTheDefinitionsAtEveryLength() => Pairs.Sample(pair =>
    {
        PairSimilarity actual = PairSimilarity.Of<float>(pair.Left, pair.Right);
        double dot = pair.Left.Zip(pair.Right, (x, y) => (double)x * y).Sum();
        double norms = Math.Sqrt(pair.Left.Sum(x => (double)x * x)) * Math.Sqrt(pair.Right.Sum(x => (double)x * x));
        Assert.AreEqual(dot, actual.Dot, 1e-10);
        Assert.AreEqual(norms == 0 ? 0 : dot / norms, actual.Cosine, 1e-12);
        Assert.AreEqual(-Math.Sqrt(pair.Left.Zip(pair.Right, (x, y) => Math.Pow((double)x - y, 2)).Sum()), actual.Euclidean, 1e-10);
        Assert.AreEqual(-pair.Left.Zip(pair.Right, (x, y) => Math.Abs((double)x - y)).Sum(), actual.Manhattan, 1e-10);
    });

    [TestMethod]
    public void SimilarityDoesNotDependOnWhichVectorComesFirst() => Pairs.Sample(pair =>
        Assert.AreEqual(PairSimilarity.Of<float>(pair.Left, pair.Right), PairSimilarity.Of<float>(pair.Right, pair.Left)));

    [TestMethod]
    public void TheCosineOfAVectorWithItselfIsOne() => Pairs.Where(pair => pair.Left.Any(x => x != 0)).Sample(pair =>
        Assert.AreEqual(1.0, PairSimilarity.Of<float>(pair.Left, pair.Left).Cosine));

    [TestMethod]
    public void CosinesInOneDimensionAreOneOrMinusOne() => Gen.Select(Gen.Float[-100, 100], Gen.Float[-100, 100]).Where(pair => pair.Item1 != 0 && pair.Item2 != 0).Sample((left, right) =>
        Assert.AreEqual((double)(MathF.Sign(left) * MathF.Sign(right)), PairSimilarity.Of<float>([left], [right]).Cosine));

    [TestMethod]
    public void VectorsOfDifferentLengthAreRefused() => Assert.ThrowsExactly<ArgumentException>(() => PairSimilarity.Of<float>([1, 2], [1]));
}
