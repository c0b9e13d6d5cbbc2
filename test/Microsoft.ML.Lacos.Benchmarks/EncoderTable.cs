using System.Globalization;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Training.Loading;
using Spectre.Console;
using TorchSharp;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Whole encoders side by side: this project's int8, ONNX Runtime's int8, TorchSharp in bf16 and fp32.</summary>
internal static class EncoderTable
{
    public static readonly BloomConfig Bloom560m = new(1024, 24, 16, 2048);
    public static readonly BloomConfig BloomMini = new(384, 6, 6, 30080);

    public static void Run(string name, BloomConfig config, IReadOnlyList<(string Name, TokenRows Rows)> batches, int threads, double seconds)
    {
        TorchSharpLoader.EnsureLoadable();
        using var bloom = new RandomBloom(config);
        using var ours = new NativeBloomEncoder(bloom.Weights, BloomCompute.Int8, threadCount: threads);
        using var onnx = new OnnxBloom(bloom.Weights, threads);
        using var bf16 = new TorchBloom(bloom.Weights, torch.ScalarType.BFloat16, threads);
        using var fp32 = new TorchBloom(bloom.Weights, torch.ScalarType.Float32, threads);
        CheckAgreement(ours, onnx, fp32, config);

        var table = new ResultTable(
            $"encoder-{name}", $"{name} shape, {threads} threads, tokens/s", "batch",
            Column.Rate("LACoS int8"), Column.Share("of the limit"), Column.Rate("ONNX Runtime int8"), Column.Ratio(), Column.Rate("torch bf16"), Column.Ratio(), Column.Rate("torch fp32"), Column.Ratio());
        foreach ((string batchName, TokenRows rows) in batches)
        {
            var vectors = new float[rows.Count * config.HiddenSize];
            double peak = Hardware.Int8Peak(threads);
            double bandwidth = Hardware.ReadBandwidth(threads);
            double[] medians = Interleaved.Medians(
                [
                    _ => ours.Encode(rows.Ids, rows.Offsets, [], new PoolingOptions(PoolingModes.Mean), vectors),
                    _ => onnx.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length),
                    _ => bf16.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length),
                    _ => fp32.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length),
                ],
                seconds);
            double elements = RandomBloom.LinearElements(config);
            double limit = Math.Max(2 * elements * rows.Ids.Length / (peak * 1e9), elements / (bandwidth * 1e9));
            double tokens = rows.Ids.Length;
            table.Add(
                batchName, tokens / medians[0], limit / medians[0], tokens / medians[1], medians[1] / medians[0], tokens / medians[2], medians[2] / medians[0], tokens / medians[3], medians[3] / medians[0]);
        }
        table.Write();
    }

    /// <summary>A comparison of speed means nothing unless all compute the same.</summary>
    private static void CheckAgreement(NativeBloomEncoder ours, OnnxBloom onnx, TorchBloom fp32, BloomConfig config)
    {
        TokenRows rows = TokenRows.Random(1, 12, config.VocabularySize);
        var vector = new float[config.HiddenSize];
        ours.Encode(rows.Ids, rows.Offsets, [], new PoolingOptions(PoolingModes.Mean), vector);
        float[] reference = fp32.Encode(rows.Padded, rows.Mask, 1, rows.Length);
        float[] peer = onnx.Encode(rows.Padded, rows.Mask, 1, rows.Length);
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"cosine to torch fp32: LACoS int8 {Cosine(vector, reference):F5}, ONNX Runtime int8 {Cosine(peer, reference):F5}");
        // Without VNNI, ONNX Runtime's products of signed and unsigned bytes saturate at 16 bits.
        double peerBar = NativeInfo.Get().CpuFeatures.Contains("vnni", StringComparison.OrdinalIgnoreCase) ? 0.98 : 0.9;
        if (Cosine(vector, reference) < 0.99 || Cosine(peer, reference) < peerBar)
        {
            throw new InvalidOperationException("The engines do not compute the same vectors; a comparison of their speed would mean nothing.");
        }
    }

    private static double Cosine(float[] x, float[] y) => x.Zip(y, (a, b) => (double)a * b).Sum() / Math.Sqrt(x.Sum(a => (double)a * a) * y.Sum(b => (double)b * b));
}
