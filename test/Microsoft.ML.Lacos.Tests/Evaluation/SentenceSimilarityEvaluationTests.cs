using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

[TestClass]
public sealed class SentenceSimilarityEvaluationTests
{
    private static readonly float[] Right = [1, 0];

    [TestMethod]
    public void EveryNumberTypeOfLabelGivesTheSameFigures()
    {
        SentenceSimilarityMetrics expected = Evaluate(Rows<double>(value => value));
        foreach (SentenceSimilarityMetrics metrics in new[]
        {
            Evaluate(Rows(value => (float)value)), Evaluate(Rows(value => (sbyte)value)), Evaluate(Rows(value => (byte)value)), Evaluate(Rows(value => (short)value)),
            Evaluate(Rows(value => (ushort)value)), Evaluate(Rows(value => (int)value)), Evaluate(Rows(value => (uint)value)), Evaluate(Rows(value => (long)value)), Evaluate(Rows(value => (ulong)value)),
        })
        {
            Assert.AreEqual(expected.CosineSpearman, metrics.CosineSpearman);
            Assert.AreEqual(expected.ManhattanPearson, metrics.ManhattanPearson);
        }
        Assert.AreEqual(1, Evaluate(Rows(value => value > 2)).CosinePearson, 0.2);
    }

    [TestMethod]
    public void ATextOrAKeyIsNoLabel()
    {
        ArgumentException text = Assert.ThrowsExactly<ArgumentException>(() => Evaluate(Rows(value => value.ToString("F1", null))));
        StringAssert.Contains(text.Message, "'Label'");
        StringAssert.Contains(text.Message, "String");

        var context = new MLContext(1);
        IDataView numbers = ScoredPair<double, float>.View(context, Rows<double>(value => value));
        IDataView keys = context.Transforms.Conversion.MapValueToKey("Label").Fit(numbers).Transform(numbers);
        Assert.ThrowsExactly<ArgumentException>(() => context.Regression.EvaluateSentenceSimilarity(keys));
    }

    [TestMethod]
    public void RowsWithoutALabelAreLeftOutAndCounted()
    {
        SentenceSimilarityMetrics metrics = Evaluate([.. Rows(value => (float)value), new() { Label = float.NaN, Embedding1 = [float.NaN, 1], Embedding2 = Right }]);
        Assert.AreEqual(5, metrics.Count);
        Assert.AreEqual(1, metrics.MissingLabelCount);
        Assert.AreEqual(Evaluate(Rows(value => (float)value)).CosinePearson, metrics.CosinePearson);
    }

    [TestMethod]
    [DataRow(float.NaN, 1f)]
    [DataRow(float.PositiveInfinity, 1f)]
    [DataRow(0f, float.NegativeInfinity)]
    public void AVectorOrLabelThatIsNotFiniteIsRefusedWithItsRow(float element, float label)
    {
        ScoredPair<float, float> bad = new() { Label = label, Embedding1 = [element, 0], Embedding2 = Right };
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Evaluate([.. Rows(value => (float)value), bad]));
        StringAssert.Contains(error.Message, "Row 5 ");
    }

    [TestMethod]
    public void NoRowsAndOneRowAreUndefinedNotAnError()
    {
        SentenceSimilarityMetrics none = Evaluate(Array.Empty<ScoredPair<float, float>>());
        SentenceSimilarityMetrics one = Evaluate([.. Rows(value => (float)value).Take(1)]);
        Assert.AreEqual(0, none.Count);
        Assert.AreEqual(1, one.Count);
        Assert.IsTrue(double.IsNaN(none.CosineSpearman) && double.IsNaN(one.EuclideanPearson));
    }

    [TestMethod]
    public void TheCosineWithAZeroVectorIsZero()
    {
        var scores = new SimilarityScores();
        scores.Add<float>(1, [0, 0], Right);
        Assert.AreEqual(0, scores.Cosine[0]);
        Assert.AreEqual(-1, scores.Euclidean[0]);
    }

    [TestMethod]
    public void Int8CodesGiveTheFiguresOfTheirValues()
    {
        ScoredPair<float, sbyte>[] codes = [.. Rows(value => (float)value).Select(row => new ScoredPair<float, sbyte> { Label = row.Label, Embedding1 = Codes(row.Embedding1), Embedding2 = Codes(row.Embedding2) })];
        ScoredPair<float, float>[] values = [.. codes.Select(row => new ScoredPair<float, float> { Label = row.Label, Embedding1 = [.. row.Embedding1.Select(code => (float)code)], Embedding2 = [.. row.Embedding2.Select(code => (float)code)] })];
        Assert.AreEqual(Evaluate(values).CosinePearson, Evaluate(codes).CosinePearson);

        static sbyte[] Codes(float[] vector) => [.. vector.Select(element => (sbyte)MathF.Round(element * 127))];
    }

    [TestMethod]
    public void PackedSignBitsAreReadAsPlusAndMinusOneMostSignificantFirst()
    {
        ScoredPair<float, byte>[] bits =
        [
            new() { Label = 1, Embedding1 = [0b1000_0000], Embedding2 = [0b1000_0000] },
            new() { Label = 2, Embedding1 = [0b1000_0000], Embedding2 = [0b0000_0001] },
            new() { Label = 4, Embedding1 = [0b1111_0000], Embedding2 = [0b0000_1111] },
        ];
        ScoredPair<float, float>[] signs = [.. bits.Select(row => new ScoredPair<float, float> { Label = row.Label, Embedding1 = Signs(row.Embedding1[0]), Embedding2 = Signs(row.Embedding2[0]) })];
        Assert.AreEqual(Evaluate(signs).DotPearson, Evaluate(bits).DotPearson);
        Assert.AreEqual(Evaluate(signs).EuclideanPearson, Evaluate(bits).EuclideanPearson);

        static float[] Signs(byte packed) => [.. Enumerable.Range(0, 8).Select(bit => (packed & (128 >> bit)) != 0 ? 1f : -1f)];
    }

    [TestMethod]
    public void SparseVectorsAreReadAsTheirDenseValues()
    {
        var context = new MLContext(1);
        SparsePair[] sparse = [.. Enumerable.Range(1, 6).Select(i => new SparsePair { Label = i % 4, Embedding1 = new VBuffer<float>(8, 2, [i, 1], [3, 7]), Embedding2 = new VBuffer<float>(8, 2, [1, i], [2, 7]) })];
        ScoredPair<float, float>[] dense = [.. sparse.Select(row => new ScoredPair<float, float> { Label = row.Label, Embedding1 = [.. row.Embedding1.DenseValues()], Embedding2 = [.. row.Embedding2.DenseValues()] })];
        SentenceSimilarityMetrics metrics = context.Regression.EvaluateSentenceSimilarity(context.Data.LoadFromEnumerable(sparse));
        Assert.AreEqual(Evaluate(dense).DotPearson, metrics.DotPearson);
        Assert.AreEqual(Evaluate(dense).ManhattanPearson, metrics.ManhattanPearson);
    }

    [TestMethod]
    public void VectorsOfTwoModelsAreRefusedAndOfOneOrAnUnknownModelAreNot()
    {
        var context = new MLContext(1);
        ScoredPair<float, float>[] rows = Rows(value => (float)value);
        InvalidOperationException error = Assert.ThrowsExactly<InvalidOperationException>(() => context.Regression.EvaluateSentenceSimilarity(ScoredPair<float, float>.View(context, rows, "aaa", "bbb")));
        StringAssert.Contains(error.Message, "aaa");
        StringAssert.Contains(error.Message, "bbb");
        Assert.AreEqual(5, context.Regression.EvaluateSentenceSimilarity(ScoredPair<float, float>.View(context, rows, "aaa", "aaa")).Count);
        Assert.AreEqual(5, context.Regression.EvaluateSentenceSimilarity(ScoredPair<float, float>.View(context, rows, "aaa")).Count);
    }

    [TestMethod]
    public void AMissingColumnIsNamedBesideThoseThereAre()
    {
        var context = new MLContext(1);
        IDataView view = ScoredPair<float, float>.View(context, Rows(value => (float)value));
        ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => context.Regression.EvaluateSentenceSimilarity(view, "Score"));
        StringAssert.Contains(error.Message, "'Score'");
        StringAssert.Contains(error.Message, "'Embedding2'");
    }

    [TestMethod]
    public void ColumnsThatAreNoVectorsOrDifferInLengthAreRefused()
    {
        var context = new MLContext(1);
        IDataView view = ScoredPair<float, float>.View(context, Rows(value => (float)value));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => context.Regression.EvaluateSentenceSimilarity(view, "Label", "Label")).Message, "Single");
        ScoredPair<float, float>[] uneven = [.. Rows(value => (float)value).Select(row => new ScoredPair<float, float> { Label = row.Label, Embedding1 = row.Embedding1, Embedding2 = [.. row.Embedding2, 1] })];
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Evaluate(uneven)).Message, "differ in length");
    }

    /// <summary>Five pairs whose vectors drift apart as the label falls.</summary>
    private static ScoredPair<TLabel, float>[] Rows<TLabel>(Func<double, TLabel> label) =>
        [.. Enumerable.Range(0, 5).Select(i => new ScoredPair<TLabel, float> { Label = label(i), Embedding1 = [1, (4 - i) * 0.3f], Embedding2 = Right })];

    private static SentenceSimilarityMetrics Evaluate<TLabel, TElement>(IReadOnlyList<ScoredPair<TLabel, TElement>> rows)
    {
        var context = new MLContext(1);
        return context.Regression.EvaluateSentenceSimilarity(ScoredPair<TLabel, TElement>.View(context, rows));
    }

    private sealed class SparsePair
    {
        public float Label { get; set; }

        [VectorType(8)]
        public VBuffer<float> Embedding1 { get; set; }

        [VectorType(8)]
        public VBuffer<float> Embedding2 { get; set; }
    }
}
