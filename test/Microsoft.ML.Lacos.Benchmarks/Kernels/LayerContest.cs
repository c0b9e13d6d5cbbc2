using Microsoft.ML.Lacos.Benchmarks.Peers;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks.Kernels;

/// <summary>Seconds that one linear layer takes in each engine, measured in turns.</summary>
/// <param name="Ours">This project.</param>
/// <param name="OneDnn">oneDNN, if it is there.</param>
/// <param name="OnnxRuntime">ONNX Runtime.</param>
/// <param name="ShareOfLimit">Ours as a share of the read bandwidth for a single row, else of the int8 peak.</param>
/// <param name="OneDnnKernel">What oneDNN chose: one name, or none.</param>
internal sealed record LayerContest(double Ours, double? OneDnn, double OnnxRuntime, double ShareOfLimit, string[] OneDnnKernel)
{
    // Peers quantise the whole input with one scale, some with 7 bits; a wrong layout or scale would be far off.
    private const double Tolerance = 0.05;

    public static unsafe LayerContest Hold(int k, int n, int m, int threads, KernelTime time)
    {
        // A single row is bound by reading the weights: they rotate through so much that no cache serves them.
        int copies = m > 1 ? 1 : (int)Math.Max(2, time.RotatedBytes / ((long)k * n));
        using var random = new RandomBloom(new Bloom.BloomConfig(4, 0, 1, 1));
        WeightMatrix matrix = random.Matrix(n, k);
        float[] input = Normals(m * k);
        float[] bias = [.. Enumerable.Range(0, n).Select(i => i % 7f)];
        float[][] outputs = [new float[m * n], new float[m * n], new float[m * n]];

        using var ours = new LacosLayers(matrix, copies, threads);
        using OneDnnLinear? oneDnn = OneDnnLinear.Version is null ? null : new OneDnnLinear(n, k, m, copies, (sbyte*)matrix.Data, matrix.Scales, bias, threads);
        using var onnx = new OnnxLinear(n, k, m, copies, (sbyte*)matrix.Data, matrix.Scales, bias, threads, input, outputs[2]);
        var engines = new List<Action<int>>
        {
            _ => Repeat(copies, call => ours.Forward(call, input, m, bias, outputs[0])),
            _ => onnx.Forward(),
        };
        if (oneDnn is not null)
        {
            engines.Add(_ => Repeat(copies, call => oneDnn.Forward(call, input, outputs[1])));
        }
        // A single row is held to the bandwidth alone, all others to the peak.
        using var limit = m == 1 ? new LimitTurns(threads, 0, k * (double)n) : new LimitTurns(threads, 2.0 * m * k * n, 0);
        engines.AddRange(limit.Actions);
        double[] medians = [.. Interleaved.Medians(engines, time.Seconds, time.LeastTurns, Interleaved.BurstSeconds).Select(run => run / copies)];
        // Without VNNI, ONNX Runtime's products of signed and unsigned bytes saturate at 16 bits.
        CheckAgreement("ONNX Runtime", outputs[2], outputs[0], NativeInfo.Get().CpuFeatures.Contains("vnni", StringComparison.OrdinalIgnoreCase) ? Tolerance : 8 * Tolerance);
        if (oneDnn is not null)
        {
            CheckAgreement("oneDNN", outputs[1], outputs[0], Tolerance);
        }
        return new LayerContest(medians[0], oneDnn is null ? null : medians[2], medians[1], limit.Seconds / medians[0], oneDnn is null ? [] : [oneDnn.Kernel]);
    }

    // As a layer norm leaves its rows; a sum of twelve uniform numbers is close to a normal one.
    private static float[] Normals(int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 12).Sum(_ => random.NextSingle()) - 6)];
    }

    private static void Repeat(int times, Action<int> action)
    {
        for (int i = 0; i < times; i++)
        {
            action(i);
        }
    }

    private static void CheckAgreement(string peer, float[] output, float[] expected, double tolerance)
    {
        double error = 0, size = 0;
        for (int i = 0; i < output.Length; i++)
        {
            error += Math.Pow(output[i] - expected[i], 2);
            size += Math.Pow(expected[i], 2);
        }
        if (!(error <= tolerance * tolerance * size))
        {
            throw new InvalidOperationException($"{peer} computes another layer: its output differs by {Math.Sqrt(error / size):P0}; at most {tolerance:P0} can come from quantising. A comparison of speed would mean nothing.");
        }
    }
}
