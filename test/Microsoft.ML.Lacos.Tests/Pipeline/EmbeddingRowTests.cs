using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class EmbeddingRowTests
{
    private readonly MLContext _context = new(1);
    private readonly FakeEncoder _encoder = new();
    private readonly TextRow[] _rows = TextRow.Make(40);

    [TestMethod]
    public void PredictionEngineGivesTheCursorsBits()
    {
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, data);
        float[][] expected = [.. transformer.Transform(data).GetColumn<float[]>("Features")];
        using var engine = _context.Model.CreatePredictionEngine<TextRow, EmbeddedRow>(transformer, data.Schema);
        for (int i = 0; i < _rows.Length; i++)
        {
            EmbeddedRow row = engine.Predict(_rows[i]);
            CollectionAssert.AreEqual(expected[i], row.Features);
            Assert.AreEqual(i, row.Number);
        }
    }

    [TestMethod]
    public void ATextThatChangesWithoutItsPositionIsNoticed()
    {
        var row = new MovingRow(_context.Data.LoadFromEnumerable(_rows).Schema) { Text = "first" };
        IRowToRowMapper mapper = _encoder.Fit(_context, _context.Data.LoadFromEnumerable(_rows)).GetRowToRowMapper(row.Schema);
        using DataViewRow mapped = mapper.GetRow(row, mapper.OutputSchema);
        ValueGetter<VBuffer<float>> vector = mapped.GetGetter<VBuffer<float>>(mapper.OutputSchema["Features"]);
        VBuffer<float> features = default;
        foreach (string text in new[] { "first", "second", "", "first", "longer than the first" })
        {
            row.Text = text;
            vector(ref features);
            CollectionAssert.AreEqual(_encoder.Vector(text), features.DenseValues().ToArray());
        }
    }

    [TestMethod]
    public void CountScoreAndVectorsOfARowEncodeItsTextsOnce()
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options(new("Embedding1", "Text", "Tokens1"), new("Embedding2", "Other", "Tokens2"));
        options.ScoreColumnName = "Score";
        options.CacheBytes = 0;
        IDataView data = _context.Data.LoadFromEnumerable(_rows);
        using var engine = _context.Model.CreatePredictionEngine<TextRow, PairRow>(_encoder.Fit(_context, data, options));
        PairRow scored = engine.Predict(_rows[5]);
        CollectionAssert.AreEqual(_encoder.Vector(_rows[5].Text), scored.Embedding1);
        CollectionAssert.AreEqual(_encoder.Vector(_rows[5].Other), scored.Embedding2);
        Assert.AreEqual(FakeEncoder.Tokens(_rows[5].Text), scored.Tokens1);
        Assert.AreEqual(FakeEncoder.Tokens(_rows[5].Other), scored.Tokens2);
        Assert.AreEqual(scored.Embedding1.Zip(scored.Embedding2, (x, y) => x * y).Sum(), scored.Score, 1e-5);
        Assert.AreEqual(2, _encoder.Texts);
    }

    [TestMethod]
    public void ScoreOfAZeroVectorIsZero()
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options(new("Embedding1", "Text"), new("Embedding2", "Other"));
        options.ScoreColumnName = "Score";
        IDataView data = _context.Data.LoadFromEnumerable([new TextRow { Text = "", Other = "x" }, new TextRow { Text = "y", Other = "y" }]);
        float[] scores = [.. _encoder.Fit(_context, data, options).Transform(data).GetColumn<float>("Score")];
        Assert.AreEqual(0f, scores[0]);
        Assert.AreEqual(1f, scores[1], 1e-6f);
    }

    [TestMethod]
    public void AnAddedColumnDependsOnItsTextOnly()
    {
        DataViewSchema schema = _context.Data.LoadFromEnumerable(_rows).Schema;
        IRowToRowMapper mapper = _encoder.Fit(_context, _context.Data.LoadFromEnumerable(_rows)).GetRowToRowMapper(schema);
        Assert.AreEqual("Text", mapper.GetDependencies([mapper.OutputSchema["Features"]]).Single().Name);
        Assert.AreEqual("Number", mapper.GetDependencies([mapper.OutputSchema["Number"]]).Single().Name);
    }

    [TestMethod]
    public void ARowOfAnotherSchemaIsRefused()
    {
        SentenceEmbeddingTransformer transformer = _encoder.Fit(_context, _context.Data.LoadFromEnumerable(_rows));
        IRowToRowMapper mapper = transformer.GetRowToRowMapper(_context.Data.LoadFromEnumerable(_rows).Schema);
        var row = new MovingRow(_context.Data.LoadFromEnumerable(_rows).Schema);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => mapper.GetRow(row, mapper.OutputSchema)).Message, "another schema");
    }

    private sealed class PairRow
    {
        public float[] Embedding1 { get; set; } = [];

        public float[] Embedding2 { get; set; } = [];

        public int Tokens1 { get; set; }

        public int Tokens2 { get; set; }

        public float Score { get; set; }
    }

    /// <summary>A row whose text changes while its position does not.</summary>
    private sealed class MovingRow(DataViewSchema schema) : DataViewRow
    {
        public string Text { get; set; } = "";

        public override DataViewSchema Schema => schema;

        public override long Position => 0;

        public override long Batch => 0;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => column.Name == "Text"
            ? (ValueGetter<TValue>)(Delegate)(ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Text.AsMemory())
            : (ref TValue value) => value = default!;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = default;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;
    }
}
