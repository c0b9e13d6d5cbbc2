using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Benchmarks.MlNet;

/// <summary>The ways from a column of texts to a column of vectors that are compared; each reads every vector.</summary>
internal sealed class PipelineWorkloads : IDisposable
{
    private readonly MLContext _context = new(seed: 1);
    private readonly string[][] _sets;
    private readonly IDataView[] _views;
    private readonly SentenceEmbeddingTransformer _transformer;
    private readonly SentenceEncoder _encoder;
    private readonly ITransformer _featurizer;
    private readonly OnnxBloom _onnx;
    private readonly BloomTokenizer _tokenizer;
    private readonly float[] _vectors;
    private readonly int _onnxRows;

    /// <summary>Opens everything over the default model.</summary>
    /// <param name="rows">Rows of a set.</param>
    /// <param name="sets">Sets of texts: each turn takes another.</param>
    /// <param name="threads">Threads of every engine.</param>
    public PipelineWorkloads(int rows, int sets, int threads)
    {
        _onnxRows = OnnxRowsOf(rows);
        _sets = [.. Enumerable.Range(0, sets).Select(set => BenchmarkTexts.Make(rows, set))];
        _views = [.. _sets.Select(texts => _context.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray()))];
        _transformer = _context.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], ThreadCount = threads }).Fit(_views[0]);
        LacosModel model = _transformer.Model;
        _encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { ThreadCount = threads });
        _featurizer = _context.Transforms.Text.FeaturizeText("Features", "Text").Fit(_views[0]);
        _onnx = new OnnxBloom(model.Weights, threads);
        _tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        _vectors = new float[rows * _encoder.Dimension];
    }

    /// <summary>Rows that the loop over ONNX Runtime takes: a row at a time, it would take too long for all.</summary>
    public static int OnnxRowsOf(int rows) => Math.Min(64, rows);

    /// <summary>The encoder by itself: all texts of the set in one call.</summary>
    public void Direct(int turn) => _encoder.Encode(_sets[turn % _sets.Length], _vectors, []);

    /// <summary>The transformer, read row by row through a cursor.</summary>
    public void Transform(int turn) => Read(_transformer.Transform(_views[turn % _views.Length]));

    /// <summary>ML.NET's own bag of n-grams: no meaning across words or languages, and no network.</summary>
    public void FeaturizeText(int turn) => Read(_featurizer.Transform(_views[turn % _views.Length]));

    /// <summary>What recipes for ONNX models do in a pipeline: tokenise a row, run the session, a row at a time.</summary>
    public void OnnxRowByRow(int turn)
    {
        foreach (string text in _sets[turn % _sets.Length].AsSpan(0, _onnxRows))
        {
            long[] ids = [.. _tokenizer.EncodeToIds(text).Select(id => (long)id)];
            var mask = new float[ids.Length];
            Array.Fill(mask, 1f);
            _onnx.Encode(ids, mask, 1, ids.Length);
        }
    }

    public void Dispose()
    {
        _onnx.Dispose();
        _encoder.Dispose();
        _transformer.Dispose();
    }

    private static void Read(IDataView data)
    {
        DataViewSchema.Column column = data.Schema["Features"];
        using DataViewRowCursor cursor = data.GetRowCursor([column]);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> vector = default;
        while (cursor.MoveNext())
        {
            getter(ref vector);
        }
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
