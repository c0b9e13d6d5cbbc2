using Microsoft.Extensions.AI;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class LifetimeTests
{
    private readonly MLContext _context = new(1);
    private readonly FakeEncoder _encoder = new();
    private readonly IDataView _data = new MLContext(1).Data.LoadFromEnumerable(TextRow.Make(10));

    [TestMethod]
    public void DisposingTheOnlyUserReleasesTheModel()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        transformer.Dispose();
        transformer.Dispose();
        Assert.IsTrue(_encoder.IsDisposed);
    }

    [TestMethod]
    public void ADisposedTransformerSaysSo()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        transformer.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.Transform(_data));
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.GetOutputSchema(_data.Schema));
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.GetRowToRowMapper(_data.Schema));
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.ForColumn("F", "Text"));
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.AsEmbeddingGenerator());
        Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.Fingerprint);
        Assert.ThrowsExactly<ObjectDisposedException>(() => _context.Model.Save(transformer, _data.Schema, new MemoryStream()));
    }

    [TestMethod]
    public void AFitAfterSomebodyDisposedTheModelCanBeSaved()
    {
        var estimator = _context.Transforms.Text.ApplySentenceEmbedding("Features", "Text");
        using SentenceEmbeddingTransformer first = estimator.Fit(_data);
        first.Model.Dispose();
        Assert.HasCount(10, first.Transform(_data).Preview(10).RowView);
        using SentenceEmbeddingTransformer second = estimator.Fit(_data);
        using var stream = new MemoryStream();
        _context.Model.Save(second, _data.Schema, stream);
        Assert.IsGreaterThan(1 << 20, stream.Length);
    }

    [TestMethod]
    public void SiblingsKeepTheModelUntilTheLastIsDisposed()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        SentenceEmbeddingTransformer sibling = transformer.ForColumn("F", "Other");
        IEmbeddingGenerator<string, Embedding<float>> generator = transformer.AsEmbeddingGenerator();
        transformer.Dispose();
        Assert.HasCount(10, sibling.Transform(_data).Preview(10).RowView);
        generator.Dispose();
        sibling = sibling.ForColumn("G", "Other");
        Assert.IsFalse(_encoder.IsDisposed);
    }

    [TestMethod]
    public void TheLastGeneratorReleasesTheModel()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        IEmbeddingGenerator<string, Embedding<float>> generator = transformer.AsEmbeddingGenerator();
        transformer.Dispose();
        Assert.IsFalse(_encoder.IsDisposed);
        generator.Dispose();
        Assert.IsTrue(_encoder.IsDisposed);
        Assert.ThrowsExactly<ObjectDisposedException>(() => generator.GenerateAsync(["x"]));
    }

    [TestMethod]
    public void AViewOutlivesItsTransformer()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        IDataView view = transformer.Transform(_data);
        transformer.Dispose();
        Assert.AreEqual(10, view.GetColumn<float[]>("Features").Count());
        GC.KeepAlive(view);
    }

    [TestMethod]
    public void DisposingAPredictionEngineLeavesSiblingsAndViewsAlone()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _data);
        SentenceEmbeddingTransformer sibling = transformer.ForColumn("F", "Text");
        IDataView view = transformer.Transform(_data);
        _context.Model.CreatePredictionEngine<TextRow, EmbeddedRow>(transformer).Dispose();
        StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(() => transformer.Transform(_data)).Message, "PredictionEngineOptions.OwnsTransformer");
        Assert.AreEqual(10, view.GetColumn<float[]>("Features").Count());
        Assert.AreEqual(10, sibling.Transform(_data).GetColumn<float[]>("F").Count());
        _context.Model.CreatePredictionEngine<TextRow, EmbeddedRow>(sibling, new PredictionEngineOptions { OwnsTransformer = false }).Dispose();
        Assert.AreEqual(10, sibling.Transform(_data).GetColumn<float[]>("F").Count());
    }

    [TestMethod]
    public void FitsOfOneEstimatorShareTheModelWhileOneIsInUse()
    {
        int opened = 0;
        var encoders = new List<FakeEncoder>();
        var estimator = new SentenceEmbeddingEstimator(_context, FakeEncoder.Options(), _ =>
        {
            opened++;
            encoders.Add(new FakeEncoder());
            return encoders[^1].AsModel();
        });
        SentenceEmbeddingTransformer first = estimator.Fit(_data);
        SentenceEmbeddingTransformer second = estimator.Fit(_data);
        Assert.AreEqual(1, opened);
        first.Dispose();
        Assert.IsFalse(encoders[0].IsDisposed);
        second.Dispose();
        Assert.IsTrue(encoders[0].IsDisposed);
        using SentenceEmbeddingTransformer third = estimator.Fit(_data);
        Assert.AreEqual(2, opened);
        Assert.AreEqual(10, third.Transform(_data).GetColumn<float[]>("Features").Count());
    }

    [TestMethod]
    public void CrossValidationOpensTheModelOnce()
    {
        int opened = 0;
        var estimator = new SentenceEmbeddingEstimator(_context, FakeEncoder.Options(), _ =>
        {
            Interlocked.Increment(ref opened);
            return _encoder.AsModel();
        });
        IDataView data = _context.Data.LoadFromEnumerable(TextRow.Make(60));
        var pipeline = estimator.Append(_context.Regression.Trainers.OnlineGradientDescent(featureColumnName: "Features"));
        Assert.HasCount(4, _context.Regression.CrossValidate(data, pipeline, numberOfFolds: 4));
        Assert.AreEqual(1, opened);
    }
}
