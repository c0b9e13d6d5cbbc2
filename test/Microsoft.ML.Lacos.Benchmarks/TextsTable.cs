using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tokenization;
using Microsoft.ML.Lacos.Training.Loading;
using Spectre.Console;
using TorchSharp;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Real sentences through the default model, text to vector, without and with a prompt; peers get the same token ids, sorted by length, in batches of 64.</summary>
/// <remarks>Rates count all tokens, also those that sentences share and that LACoS computes once.</remarks>
internal static class TextsTable
{
    private const int PeerBatch = 64;
    private const string Prompt = "Represent this question for retrieval: ";

    public static void Run(string path, int threads, double seconds)
    {
        string?[] texts = File.ReadAllLines(path);
        using LacosModel model = LacosModel.LoadDefault();
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(model.TokenizerJson.Span);
        int[][] ids = [.. texts.Select(text => tokenizer.EncodeToIds(text!).Take(model.Settings.MaximumTokenCount).ToArray()).Where(row => row.Length > 0)];
        double tokens = ids.Sum(row => (double)row.Length);
        double elements = RandomBloom.LinearElements(model.Weights.Config);
        var table = new ResultTable(
            "texts", $"{texts.Length:N0} sentences of {Path.GetFileName(path)}, {tokens:N0} tokens, default model", "engine and threads", Column.Rate("sentences/s"), Column.Rate("tokens/s") with { IsPlotted = false }, Column.Share("of the int8 peak"));
        var times = new List<double>();
        for (int count = 1; count <= threads; count++)
        {
            using SentenceEncoder encoder = SentenceEncoder.Create(model, new SentenceEncoderOptions { ThreadCount = count });
            var vectors = new float[texts.Length * encoder.Dimension];
            using var limit = new LimitTurns(count, 2 * elements * tokens, 0);
            double median = Interleaved.Medians([_ => encoder.Encode(texts, vectors, []), .. limit.Actions], seconds, leastTurns: 3)[0];
            times.Add(median);
            table.Add($"LACoS int8, text to vector, {count}", texts.Length / median, tokens / median, limit.Seconds / median);
        }

        int[] prompt = [.. tokenizer.EncodeToIds(Prompt)];
        using (SentenceEncoder prompted = SentenceEncoder.Create(model, new SentenceEncoderOptions { ThreadCount = threads, Prompt = Prompt }))
        {
            var vectors = new float[texts.Length * prompted.Dimension];
            double median = Interleaved.Medians([_ => prompted.Encode(texts, vectors, [])], seconds, leastTurns: 3)[0];
            table.Add($"LACoS int8, behind a prompt of {prompt.Length} tokens, {threads}", texts.Length / median, (tokens + ((double)prompt.Length * ids.Length)) / median, null);
        }

        TorchSharpLoader.EnsureLoadable();
        // Every eighth batch: the peers take minutes for all, and their rate does not change along the way.
        TokenRows[] batches = Batches([]);
        TokenRows[] promptedBatches = Batches(prompt);
        using var onnx = new OnnxBloom(model.Weights, threads);
        using var fp32 = new TorchBloom(model.Weights, torch.ScalarType.Float32, threads);
        Peer("ONNX Runtime int8, ids to vector", batches, onnx.Encode);
        Peer("ONNX Runtime int8, with the prompt", promptedBatches, onnx.Encode);
        double torchRate = Peer("TorchSharp fp32, ids to vector", batches, fp32.Encode);
        Aims.AtLeast("texts, default model: times torch fp32 with batches sorted by length", 3, texts.Length / times[^1] / torchRate);
        Aims.AtLeast("texts, default model: two threads, times one", 1.85, threads < 2 ? null : times[0] / times[1]);
        table.Write();
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"peak memory of this process, peers included: {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB");

        TokenRows[] Batches(int[] before) =>
            [.. ids.OrderBy(row => row.Length).Chunk(PeerBatch).Where((_, index) => index % 8 == 0).Select(batch => new TokenRows([.. batch.Select(row => (int[])[.. before, .. row])]))];

        double Peer(string name, TokenRows[] some, Func<long[], float[], int, int, float[]> encode)
        {
            double median = Interleaved.Medians([_ => Array.ForEach(some, batch => encode(batch.Padded, batch.Mask, batch.Count, batch.Length))], seconds, leastTurns: 3)[0];
            double rate = some.Sum(batch => (double)batch.Count) / median;
            table.Add($"{name}, {threads}", rate, some.Sum(batch => (double)batch.Ids.Length) / median, null);
            return rate;
        }
    }
}
