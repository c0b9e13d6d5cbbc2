using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Tests.Pipeline;

namespace Microsoft.ML.Lacos.Tests;

[TestClass]
public sealed class SentenceEmbeddingEstimatorTests
{
    private readonly MLContext _context = new(1);
    private readonly IDataView _data = new MLContext(1).Data.LoadFromEnumerable(TextRow.Make(10));

    private static IEnumerable<object[]> BadOptions()
    {
        static object[] Case(string part, Action<SentenceEmbeddingEstimator.Options> change) => [part, change];
        yield return Case("Columns is empty", options => options.Columns = []);
        yield return Case("Columns is empty", options => options.Columns = null!);
        yield return Case("Columns[1] is null", options => options.Columns = [new("A", "Text"), null!]);
        yield return Case("two output columns are named 'A'", options => options.Columns = [new("A", "Text"), new("A", "Other")]);
        yield return Case("two output columns are named 'A'", options => options.Columns = [new("A", "Text", "A")]);
        yield return Case("TokenCountColumnName is 'N' but there are 2 columns", options => (options.TokenCountColumnName, options.Columns) = ("N", [new("A", "Text"), new("B", "Text")]));
        yield return Case("ScoreColumnName is 'S' but there are 1 columns", options => options.ScoreColumnName = "S");
        yield return Case("Model is ' '", options => options.Model = " ");
        yield return Case("Adapter is ''", options => options.Adapter = "");
        yield return Case("Precision must be", options => options.Precision = (EmbeddingPrecision)9);
        yield return Case("LookAheadRows must be", options => options.LookAheadRows = 0);
        yield return Case("CacheBytes must be", options => options.CacheBytes = -1);
        yield return Case("Pooling must be", options => options.Pooling = PoolingModes.None);
        yield return Case("Dimension must be", options => options.Dimension = -1);
        yield return Case("MaximumTokenCount must be", options => options.MaximumTokenCount = -5);
        yield return Case("BatchTokens must be", options => options.BatchTokens = -1);
        yield return Case("ThreadCount must be", options => options.ThreadCount = -1);
        yield return Case("LongText must be", options => options.LongText = (LongText)7);
        yield return Case("Compute must be", options => options.Compute = (BloomCompute)7);
        yield return Case("OutlierThreshold must be", options => options.OutlierThreshold = float.NaN);
    }

    [TestMethod]
    [DynamicData(nameof(BadOptions))]
    public void AnOptionThatCannotWorkIsRefusedAtOnceByName(string part, object change)
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        ((Action<SentenceEmbeddingEstimator.Options>)change)(options);
        ArgumentException error = Assert.Throws<ArgumentException>(() => _context.Transforms.Text.ApplySentenceEmbedding(options));
        StringAssert.Contains(error.Message, part, StringComparison.OrdinalIgnoreCase);
    }

    [TestMethod]
    public void AColumnWithoutANameIsRefused()
    {
        Assert.ThrowsExactly<ArgumentException>(() => _context.Transforms.Text.ApplySentenceEmbedding("", "Text"));
        Assert.ThrowsExactly<ArgumentException>(() => new SentenceEmbeddingEstimator.ColumnOptions("A", " "));
        Assert.ThrowsExactly<ArgumentException>(() => new SentenceEmbeddingEstimator.ColumnOptions("A", "Text", ""));
    }

    [TestMethod]
    public void ChangingTheOptionsLaterHasNoEffect()
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        SentenceEmbeddingEstimator estimator = new FakeEncoder().Estimator(_context, options);
        options.Columns = [new("Elsewhere", "Number")];
        Assert.AreEqual("Features", estimator.Fit(_data).Columns.Single().OutputColumnName);
    }

    [TestMethod]
    public void AColumnOfTheWrongTypeIsNamedWithBothTypes()
    {
        foreach (string column in new[] { "Label", "Words", "Extra" })
        {
            SentenceEmbeddingEstimator estimator = new FakeEncoder().Estimator(_context, FakeEncoder.Options(new SentenceEmbeddingEstimator.ColumnOptions("F", column)));
            ArgumentOutOfRangeException error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.Fit(_data));
            StringAssert.StartsWith(error.Message, $"Schema mismatch for input column '{column}': expected String, got {_data.Schema[column].Type}");
            error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.GetOutputSchema(Shape(_data.Schema)));
            StringAssert.StartsWith(error.Message, $"Schema mismatch for input column '{column}': expected String, got ");
            SentenceEmbeddingTransformer transformer = new FakeEncoder().Fit(_context, _data).ForColumn("F", column);
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => transformer.Transform(_data));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => transformer.GetOutputSchema(_data.Schema));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => transformer.GetRowToRowMapper(_data.Schema));
        }
    }

    [TestMethod]
    public void AMissingColumnIsNamedWithThoseThereAre()
    {
        SentenceEmbeddingEstimator estimator = new FakeEncoder().Estimator(_context, FakeEncoder.Options(new SentenceEmbeddingEstimator.ColumnOptions("F", "Sentence")));
        foreach (Action attempt in new Action[] { () => estimator.Fit(_data), () => estimator.GetOutputSchema(Shape(_data.Schema)) })
        {
            string message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(attempt).Message;
            StringAssert.Contains(message, "Could not find input column 'Sentence'");
            StringAssert.Contains(message, "Text");
        }
    }

    [TestMethod]
    public void DataWithoutColumnsPointToTrimming()
    {
        SentenceEmbeddingEstimator estimator = new FakeEncoder().Estimator(_context, FakeEncoder.Options(new SentenceEmbeddingEstimator.ColumnOptions("F", "Sentence")));
        string message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.GetOutputSchema(new SchemaShape([]))).Message;
        StringAssert.Contains(message, "The data has no columns at all.");
        StringAssert.Contains(message, "TrimMode=partial");
    }

    [TestMethod]
    [DataRow(EmbeddingPrecision.Float32, true)]
    [DataRow(EmbeddingPrecision.Float32, false)]
    [DataRow(EmbeddingPrecision.Int8, true)]
    [DataRow(EmbeddingPrecision.Binary, true)]
    public void TheShapeAnnouncedIsTheSchemaGiven(EmbeddingPrecision precision, bool normalize)
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options(new("Embedding1", "Text", "Tokens"), new("Text", "Other"));
        options.ScoreColumnName = "Score";
        options.Precision = precision;
        options.Normalize = normalize;
        SentenceEmbeddingEstimator estimator = new FakeEncoder(isNormalized: normalize).Estimator(_context, options);
        SchemaShape announced = estimator.GetOutputSchema(Shape(_data.Schema));
        SchemaShape given = Shape(estimator.Fit(_data).GetOutputSchema(_data.Schema));
        CollectionAssert.AreEquivalent(given.Select(Describe).ToArray(), announced.Select(Describe).ToArray());
    }

    [TestMethod]
    public void VectorColumnsCarrySlotNamesNormalisationAndFingerprint()
    {
        DataViewSchema.Column column = new FakeEncoder().Fit(_context, _data).GetOutputSchema(_data.Schema)["Features"];
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 10), column.Type);
        Assert.IsTrue(column.IsNormalized());
        Assert.IsTrue(column.HasSlotNames());
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        CollectionAssert.AreEqual(Enumerable.Range(0, 10).Select(i => $"e{i}").ToArray(), names.DenseValues().Select(name => name.ToString()).ToArray());
        ReadOnlyMemory<char> fingerprint = default;
        column.Annotations.GetValue("LacosModelFingerprint", ref fingerprint);
        Assert.AreEqual("f00d", fingerprint.ToString());
        Assert.IsFalse(new FakeEncoder(isNormalized: false).Fit(_context, _data).GetOutputSchema(_data.Schema)["Features"].IsNormalized());
    }

    [TestMethod]
    public void MessagesTellTheModelAndOnceHowManyTextsWereTooLong()
    {
        var context = new MLContext(1);
        var messages = new List<string>();
        context.Log += (_, message) =>
        {
            if (message.Source.Contains("Sentence embedding", StringComparison.Ordinal))
            {
                messages.Add($"{message.Kind}: {message.RawMessage}");
            }
        };
        IDataView data = context.Data.LoadFromEnumerable(TextRow.Make(100).Select(row => new TextRow { Text = row.Number % 4 == 0 ? string.Join(' ', Enumerable.Repeat(row.Text, 40)) : row.Text }));
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.CacheBytes = 0;
        IDataView view = new FakeEncoder().Fit(context, data, options).Transform(data);
        _ = view.GetColumn<float[]>("Features").Count();
        _ = view.GetColumn<float[]>("Features").Count();
        Assert.HasCount(1, messages.Where(message => message.Contains("Model 'fake' opened: 10 dimensions", StringComparison.Ordinal)), string.Join('\n', messages));
        Assert.HasCount(1, messages.Where(message => message.Contains("25 texts had more than 32 tokens and were truncated", StringComparison.Ordinal)), string.Join('\n', messages));
    }

    [TestMethod]
    public void TokenCountColumnHoldsTheTokensOfEachText()
    {
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.TokenCountColumnName = "Tokens";
        TextRow[] rows = TextRow.Make(30);
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        IDataView view = new FakeEncoder().Fit(_context, data, options).Transform(data);
        CollectionAssert.AreEqual(rows.Select(row => FakeEncoder.Tokens(row.Text)).ToArray(), view.GetColumn<int>("Tokens").ToArray());
    }

    private static string Describe(SchemaShape.Column column) =>
        $"{column.Name} {column.Kind} {column.ItemType} {column.IsKey} [{string.Join(", ", column.Annotations.Select(annotation => $"{annotation.Name} {annotation.Kind} {annotation.ItemType}").Order(StringComparer.Ordinal))}]";

    private static SchemaShape Shape(DataViewSchema schema) =>
        (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public, [typeof(DataViewSchema)])!.Invoke(null, [schema])!;
}
