using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>The int8 linear layer alone: quantising fp32 rows, product, dequantising, bias; against the peak and the read bandwidth of the same run.</summary>
internal static unsafe class KernelTable
{
    private static readonly (int K, int N)[] Shapes = [(1024, 3072), (1024, 1024), (1024, 4096), (4096, 1024), (4096, 12288), (4096, 16384), (16384, 4096)];
    private static readonly int[] Rows = [1, 16, 128, 512];

    public static void Run(int threads, double seconds, bool quick)
    {
        var table = new ResultTable(
            "kernels", $"int8 linear layer, {threads} threads: M = 1 as a share of the read bandwidth, others of the int8 peak", "K x N", [.. Rows.Select(m => Column.Share($"M = {m}", isPlotted: true))]);
        foreach ((int k, int n) in quick ? Shapes[..2] : Shapes)
        {
            table.Add($"{k} x {n}", [.. Rows.Select(m => (double?)Share(k, n, m, threads, seconds))]);
        }
        table.Write();
    }

    private static double Share(int k, int n, int m, int threads, double seconds)
    {
        // Weights rotate through 512 MB, so that no cache serves them.
        int copies = m == 1 && !Interleaved.IsBrief ? (int)Math.Max(2, (512L << 20) / ((long)k * n)) : 1;
        using var random = new RandomBloom(new Bloom.BloomConfig(4, 0, 1, 1));
        WeightMatrix matrix = random.Matrix(n, k);
        var layers = new NativeInt8LinearHandle[copies];
        fixed (float* absmax = matrix.Scales)
        {
            for (int copy = 0; copy < copies; copy++)
            {
                NativeMethods.Check(NativeMethods.lacos_int8_linear_create(n, k, (sbyte*)matrix.Data, absmax, threads, null, out layers[copy]));
            }
        }
        float[] input = [.. Enumerable.Range(0, m * k).Select(i => ((i * 37) % 201) - 100f)];
        var output = new float[m * n];
        var bias = new float[n];
        double peak = Hardware.Int8Peak(threads);
        double bandwidth = m == 1 ? Hardware.ReadBandwidth(threads) : 0;
        double median = Interleaved.Medians([turn => Forward(layers[turn % copies], input, m, bias, output)], seconds, leastTurns: 9)[0];
        Array.ForEach(layers, layer => layer.Dispose());
        return m == 1 ? k * (double)n / median / (bandwidth * 1e9) : 2.0 * m * k * n / median / (peak * 1e9);
    }

    private static void Forward(NativeInt8LinearHandle layer, float[] input, int m, float[] bias, float[] output)
    {
        fixed (float* x = input, b = bias, y = output)
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_forward(layer, x, m, 0, b, 0, null, y));
        }
    }
}
