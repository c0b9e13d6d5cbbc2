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

/// <summary>Real sentences through the default model, text to vector; peers get the same token ids, sorted by length, in batches of 64.</summary>
internal static class TextsTable
{
    private const int PeerBatch = 64;

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
            double peak = Hardware.Int8Peak(count);
            double median = Interleaved.Medians([_ => encoder.Encode(texts, vectors, [])], seconds, leastTurns: 3)[0];
            times.Add(median);
            table.Add($"LACoS int8, text to vector, {count}", texts.Length / median, tokens / median, 2 * elements * tokens / median / (peak * 1e9));
        }

        TorchSharpLoader.EnsureLoadable();
        // Every eighth batch: the peers take minutes for all, and their rate does not change along the way.
        TokenRows[] batches = [.. ids.OrderBy(row => row.Length).Chunk(PeerBatch).Where((_, index) => index % 8 == 0).Select(batch => new TokenRows(batch))];
        double peerTexts = batches.Sum(batch => (double)batch.Count);
        double peerTokens = batches.Sum(batch => (double)batch.Ids.Length);
        using var onnx = new OnnxBloom(model.Weights, threads);
        using var fp32 = new TorchBloom(model.Weights, torch.ScalarType.Float32, threads);
        Peer("ONNX Runtime int8, ids to vector", batch => onnx.Encode(batch.Padded, batch.Mask, batch.Count, batch.Length));
        double torchRate = Peer("TorchSharp fp32, ids to vector", batch => fp32.Encode(batch.Padded, batch.Mask, batch.Count, batch.Length));
        Aims.AtLeast("texts, default model: times torch fp32 with batches sorted by length", 3, texts.Length / times[^1] / torchRate);
        Aims.AtLeast("texts, default model: two threads, times one", 1.85, threads < 2 ? null : times[0] / times[1]);
        table.Write();
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"peak memory of this process, peers included: {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB");

        double Peer(string name, Func<TokenRows, float[]> encode)
        {
            double median = Interleaved.Medians([_ => Array.ForEach(batches, batch => encode(batch))], seconds, leastTurns: 3)[0];
            table.Add($"{name}, {threads}", peerTexts / median, peerTokens / median, null);
            return peerTexts / median;
        }
    }
}
