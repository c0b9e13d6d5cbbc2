using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Whole encoders side by side: this project's int8, ONNX Runtime's int8, llama.cpp's Q8_0, TorchSharp in fp32 and bf16.</summary>
internal static class EncoderTable
{
    public static void Run(Shape shape, IReadOnlyList<(string Name, TokenRows Rows)> batches, int threads, double seconds)
    {
        TorchSharpLoader.EnsureLoadable();
        BloomConfig config = shape.Config;
        using var bloom = new RandomBloom(config);
        using var ours = new NativeBloomEncoder(bloom.Weights, BloomCompute.Int8, threadCount: threads);
        using var onnx = new OnnxBloom(bloom.Weights, threads);
        using var llama = new LlamaBloom(bloom.Weights, threads);
        using var fp32 = new TorchBloom(bloom.Weights, torch.ScalarType.Float32, threads);
        using TorchBloom? bf16 = TorchBloom.HasFastBfloat16() ? new TorchBloom(bloom.Weights, torch.ScalarType.BFloat16, threads) : null;
        string agreement = CheckAgreement(ours, onnx, llama, fp32, config);
        var table = new ResultTable(
            $"encoder-{shape.Name}", $"{shape.Name} shape, {threads} threads, tokens/s", "batch",
            Column.Rate("LACoS int8"), Column.Share("of the limit"), Column.Rate("ONNX Runtime int8"), Column.Ratio(), Column.Rate("llama.cpp Q8_0"), Column.Ratio(), Column.Rate("torch fp32"), Column.Ratio(), Column.Rate("torch bf16"), Column.Ratio());
        foreach ((string batchName, TokenRows rows) in batches)
        {
            var vectors = new float[rows.Count * config.HiddenSize];
            double elements = RandomBloom.LinearElements(config);
            using var limits = new LimitTurns(threads, 2 * elements * rows.Ids.Length, elements);
            var engines = new List<Action<int>>
            {
                _ => ours.Encode(rows.Ids, rows.Offsets, [], new PoolingOptions(PoolingModes.Mean), vectors),
                _ => onnx.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length),
                _ => llama.Encode(rows),
                _ => fp32.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length),
            };
            if (bf16 is not null)
            {
                engines.Add(_ => bf16.Encode(rows.Padded, rows.Mask, rows.Count, rows.Length));
            }
            engines.AddRange(limits.Actions);
            double[] medians = Interleaved.Medians(engines, seconds, burst: Interleaved.BurstSeconds);
            double limit = limits.Seconds;
            // Large shapes take minutes a batch.
            Console.Error.WriteLine($"{shape.Name}, {batchName}: {string.Join(", ", medians.Take(bf16 is null ? 4 : 5).Append(limit).Select(median => median.ToString("F4", CultureInfo.InvariantCulture)))} s (the last: the limit)");
            double tokens = rows.Ids.Length;
            double? last = bf16 is null ? null : medians[4];
            AddAims($"{shape.Name}, {batchName}", limit / medians[0], medians[1] / medians[0], medians[3] / medians[0], last / medians[0]);
            table.Add(
                batchName, tokens / medians[0], limit / medians[0], tokens / medians[1], medians[1] / medians[0], tokens / medians[2], medians[2] / medians[0], tokens / medians[3], medians[3] / medians[0], tokens / last, last / medians[0]);
        }
        table.Note($"Ratios: how many times faster LACoS is. {agreement}. ONNX Runtime {OnnxLinear.Version}, LLamaSharp {LlamaBloom.Version}, TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)}.");
        if (bf16 is null)
        {
            table.Note($"torch bf16 is left out: on this CPU, without instructions for it, a product takes more than three times as long as in fp32.");
        }
        table.Write();
    }

    // Ratios to torch are an aim where it has no tiles of its own to multiply with.
    private static void AddAims(string batch, double share, double onnx, double fp32, double? bf16)
    {
        bool hasTiles = Aims.Kernels == "amx";
        switch (batch)
        {
            case "bloom-560m, 1 x 20":
                Aims.AtMost($"{batch}: times the limit", 1.35, 1 / share);
                break;
            case "bloom-560m, 32 x 20":
                Aims.AtLeast($"{batch}: share of the limit", 0.8, share);
                Aims.AtLeast($"{batch}: times ONNX Runtime int8", 1.5, onnx);
                Aims.AtLeast($"{batch}: times torch bf16", 2.2, hasTiles ? null : bf16);
                Aims.AtLeast($"{batch}: times torch fp32", 5, hasTiles ? null : fp32);
                break;
        }
    }

    /// <summary>A comparison of speed means nothing unless all compute the same.</summary>
    private static string CheckAgreement(NativeBloomEncoder ours, OnnxBloom onnx, LlamaBloom llama, TorchBloom fp32, BloomConfig config)
    {
        // Ids that every engine has, two sentences of different lengths.
        TokenRows rows = TokenRows.Random([12, 7], Math.Min(config.VocabularySize, 256));
        var vectors = new float[2 * config.HiddenSize];
        ours.Encode(rows.Ids, rows.Offsets, [], new PoolingOptions(PoolingModes.Mean), vectors);
        float[] reference = fp32.Encode(rows.Padded, rows.Mask, 2, rows.Length);
        // Without VNNI, ONNX Runtime's products of signed and unsigned bytes saturate at 16 bits.
        double onnxBar = NativeInfo.Get().CpuFeatures.Contains("vnni", StringComparison.OrdinalIgnoreCase) ? 0.98 : 0.9;
        return "Cosine to torch fp32: " + string.Join(", ", Check("LACoS", vectors, 0.99), Check("ONNX Runtime", onnx.Encode(rows.Padded, rows.Mask, 2, rows.Length), onnxBar), Check("llama.cpp", llama.Encode(rows), 0.99));

        string Check(string engine, float[] result, double bar)
        {
            float least = Enumerable.Range(0, 2).Min(row => TensorPrimitives.CosineSimilarity(result.AsSpan(row * config.HiddenSize, config.HiddenSize), reference.AsSpan(row * config.HiddenSize, config.HiddenSize)));
            return least >= bar
                ? string.Create(CultureInfo.InvariantCulture, $"{engine} {least:F4}")
                : throw new InvalidOperationException($"{engine} has a cosine of {least:F4} to torch fp32, below {bar}: the engines do not compute the same vectors; a comparison of their speed would mean nothing.");
        }
    }
}
