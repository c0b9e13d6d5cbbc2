using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos.Benchmarks.MlNet;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Benchmarks.Latency;

/// <summary>One short sentence at a time from many threads over one shared model, as a web service asks: text to vector.</summary>
internal static class LatencyTable
{
    private const int Texts = 4096;

    public static void Run(IReadOnlyList<int> callers, double seconds, int threads)
    {
        var context = new MLContext();
        string[] texts = BenchmarkTexts.Make(Texts, 0);
        IDataView empty = context.Data.LoadFromEnumerable(new[] { new { Text = "" } });
        // Without memory of vectors: each call must encode.
        using SentenceEmbeddingTransformer transformer = context.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options { Columns = [new("Features", "Text")], ThreadCount = threads, CacheBytes = 0 }).Fit(empty);
        using IEmbeddingGenerator<string, Embedding<float>> generator = transformer.AsEmbeddingGenerator();
        using SentenceEncoder encoder = SentenceEncoder.Create(transformer.Model, new SentenceEncoderOptions { ThreadCount = threads });
        using var onnx = new OnnxBloom(transformer.Model.Weights, threads);
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(transformer.Model.TokenizerJson.Span);

        var table = new ResultTable("latency", $"Default model, one short sentence a call, {threads} threads an engine", "callers", [.. new[] { "encoder", "generator", "ONNX int8" }.SelectMany(Columns)]);
        foreach (int count in callers)
        {
            table.Add(
                count.ToString(CultureInfo.InvariantCulture),
                [
                    .. Values(Callers.Run(count, seconds, call => encoder.Encode(texts[call % Texts]))),
                    .. Values(Callers.Run(count, seconds, call => generator.GenerateAsync([texts[call % Texts]]).GetAwaiter().GetResult())),
                    .. Values(Callers.Run(count, seconds, call => Onnx(texts[call % Texts]))),
                ]);
        }
        table.Write();

        void Onnx(string text)
        {
            long[] ids = [.. tokenizer.EncodeToIds(text).Select(id => (long)id)];
            var mask = new float[ids.Length];
            Array.Fill(mask, 1f);
            onnx.Encode(ids, mask, 1, ids.Length);
        }
    }

    private static Column[] Columns(string engine) => [Column.Milliseconds($"{engine} p50"), Column.Milliseconds($"{engine} p99"), new Column($"{engine} calls/s", "#,0")];

    private static double?[] Values((double[] Sorted, double Rate) calls) => [Quantile(calls.Sorted, 0.5), Quantile(calls.Sorted, 0.99), calls.Rate];

    private static double Quantile(double[] sorted, double share) => sorted[(int)Math.Min(sorted.Length - 1, Math.Floor(share * sorted.Length))];
}
