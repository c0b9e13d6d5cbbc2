using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Tests.Evaluation;

[TestClass]
public sealed class CrossValidateSentenceSimilarityTests
{
    [TestMethod]
    public void EachFoldHasItsModelItsMetricsAndTheRowsItHasNotSeen()
    {
        (MLContext context, IDataView view) = Data();
        var results = context.Regression.CrossValidateSentenceSimilarity(view, context.Transforms.NormalizeLpNorm("Embedding1"), numberOfFolds: 4);
        Assert.HasCount(4, results);
        CollectionAssert.AreEqual(new[] { 0, 1, 2, 3 }, results.Select(result => result.Fold).ToArray());
        Assert.AreEqual(200, results.Sum(result => result.Metrics.Count));
        foreach (TrainCatalogBase.CrossValidationResult<SentenceSimilarityMetrics> result in results)
        {
            Assert.IsNotNull(result.Model);
            SentenceSimilarityMetrics again = context.Regression.EvaluateSentenceSimilarity(result.ScoredHoldOutSet);
            Assert.AreEqual(again.CosineSpearman, result.Metrics.CosineSpearman);
            Assert.IsGreaterThan(0.5, result.Metrics.CosineSpearman);
        }
    }

    [TestMethod]
    public void TheSplitIsThatOfRegressionCrossValidateWithTheSameSeed()
    {
        (MLContext context, IDataView view) = Data();
        IEstimator<ITransformer> estimator = context.Transforms.CopyColumns("Score", "Label");
        var own = context.Regression.CrossValidateSentenceSimilarity(view, estimator, 3, seed: 7);
        var reference = context.Regression.CrossValidate(view, estimator, 3, seed: 7);
        for (int fold = 0; fold < 3; fold++)
        {
            CollectionAssert.AreEqual(Labels(context, reference[fold].ScoredHoldOutSet), Labels(context, own[fold].ScoredHoldOutSet));
        }
        CollectionAssert.AreNotEqual(Labels(context, own[0].ScoredHoldOutSet), Labels(context, context.Regression.CrossValidateSentenceSimilarity(view, estimator, 3, seed: 8)[0].ScoredHoldOutSet));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(-3)]
    public void TooFewFoldsAreRefusedByTheNameOfTheParameter(int folds)
    {
        (MLContext context, IDataView view) = Data();
        ArgumentOutOfRangeException error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => context.Regression.CrossValidateSentenceSimilarity(view, context.Transforms.CopyColumns("Score", "Label"), numberOfFolds: folds));
        Assert.AreEqual("numberOfFolds", error.ParamName);
        StringAssert.Contains(error.Message, $"is {folds}; it must be at least 2");
    }

    [TestMethod]
    [DataRow(201)]
    [DataRow(int.MaxValue)]
    public void MoreFoldsThanRowsAreRefusedWithBothNumbers(int folds)
    {
        (MLContext context, IDataView view) = Data();
        ArgumentOutOfRangeException error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => context.Regression.CrossValidateSentenceSimilarity(view, context.Transforms.CopyColumns("Score", "Label"), numberOfFolds: folds));
        Assert.AreEqual("numberOfFolds", error.ParamName);
        StringAssert.Contains(error.Message, $"is {folds} and the data has 200 row(s)");
    }

    [TestMethod]
    public void TheErrorOfAFoldArrivesAsItself()
    {
        (MLContext context, IDataView view) = Data();
        ArgumentException error = Assert.Throws<ArgumentException>(() => context.Regression.CrossValidateSentenceSimilarity(view, context.Transforms.CopyColumns("X", "Nowhere")));
        StringAssert.Contains(error.Message, "Nowhere");
    }

    private static float[] Labels(MLContext context, IDataView view) =>
        [.. context.Data.CreateEnumerable<LabelOnly>(view, reuseRowObject: false, ignoreMissingColumns: true).Select(row => row.Label)];

    private static (MLContext Context, IDataView View) Data()
    {
        var context = new MLContext(1);
        var random = new Random(5);
        ScoredPair<float, float>[] rows =
        [
            .. Enumerable.Range(0, 200).Select(i => new ScoredPair<float, float> { Label = i, Embedding1 = [1, (200 - i + (20 * random.NextSingle())) / 100], Embedding2 = [1, 0] }),
        ];
        return (context, ScoredPair<float, float>.View(context, rows));
    }

    private sealed class LabelOnly
    {
        public float Label { get; set; }
    }
}
