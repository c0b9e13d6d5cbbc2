using System.Globalization;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Picks the encoder for a model: native where the library is there, managed elsewhere.</summary>
/// <remarks><c>LACOS_FORCE_ISA=managed</c> forces the managed encoder; any other value is the name of a native kernel set.</remarks>
internal static class BloomEncoders
{
    /// <summary>Value of <c>LACOS_FORCE_ISA</c> that forces the managed encoder.</summary>
    public const string Managed = "managed";

    /// <summary>Why the native library is not used, or <see langword="null"/> when it is.</summary>
    public static string? ManagedReason =>
        string.Equals(Environment.GetEnvironmentVariable("LACOS_FORCE_ISA"), Managed, StringComparison.OrdinalIgnoreCase) ? "LACOS_FORCE_ISA is 'managed'"
        : NativeLibraryLoader.IsAvailable ? null
        : NativeLibraryLoader.UnavailableReason;

    /// <summary>Whether <c>LACOS_FORCE_ISA</c> names kernels that there are not: no encoder can be made then, whatever the model.</summary>
    public static bool IsForcedNameUnknown => ManagedReason is null && NativeInfo.Get().ChosenKernel is null;

    /// <summary>Prepares an encoder.</summary>
    /// <param name="weights">Weights; whatever holds them must outlive the encoder.</param>
    /// <param name="compute">
    /// Arithmetic asked for. Block-wise weights cannot be executed in int8 and are run weight-only, and weights that are fp32 in fp32; quantised weights asked for in
    /// <see cref="BloomCompute.Float32"/> are dequantised and run in fp32 arithmetic, which is the same thing.
    /// </param>
    /// <param name="outlierThreshold">Outlier threshold of LLM.int8; 0 for none.</param>
    /// <param name="threadCount">Threads; 0 for <c>LACOS_NUM_THREADS</c>, else what CPU affinity and the container's quota allow.</param>
    /// <exception cref="ArgumentException">The weights do not fit the arithmetic or each other.</exception>
    public static IBloomEncoder Create(BloomWeights weights, BloomCompute compute, float outlierThreshold, int threadCount)
    {
        BloomCompute effective = Effective(weights, compute);
        if (outlierThreshold > 0 && effective != BloomCompute.Int8)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"OutlierThreshold is {outlierThreshold}, but {string.Join(" and ", Schemes(weights))} weights are not executed in int8. Leave the threshold at 0, or quantise the model row by row."), nameof(outlierThreshold));
        }
        if (ManagedReason is null)
        {
            return new NativeBloomEncoder(weights, effective, outlierThreshold, threadCount);
        }
        return effective == BloomCompute.Float32 ? new Float32BloomEncoder(weights, threadCount) : new ManagedBloomEncoder(weights, effective, outlierThreshold, threadCount);
    }

    private static BloomCompute Effective(BloomWeights weights, BloomCompute compute)
    {
        List<string> schemes = Schemes(weights);
        return compute switch
        {
            BloomCompute.Float32 or BloomCompute.Int8 when schemes is [nameof(QuantizationScheme.None)] => BloomCompute.Float32,
            BloomCompute.Float32 => BloomCompute.Int8WeightOnly,
            BloomCompute.Int8 when schemes.Contains(nameof(QuantizationScheme.None)) => throw new ArgumentException(
                $"Compute is Int8, but only some of the model's weights are quantised ({string.Join(" and ", schemes)}). Quantise all of them, or choose Int8WeightOnly.", nameof(compute)),
            BloomCompute.Int8 when schemes is not [nameof(QuantizationScheme.Rowwise)] => BloomCompute.Int8WeightOnly,
            _ => compute,
        };
    }

    // Each once, in order of appearance.
    private static List<string> Schemes(BloomWeights weights)
    {
        var schemes = new List<string>();
        foreach (BloomBlockWeights block in weights.Blocks)
        {
            foreach (LinearWeights linear in block.Linears)
            {
                string scheme = linear.Weight.Scheme.ToString();
                if (!schemes.Contains(scheme))
                {
                    schemes.Add(scheme);
                }
            }
        }
        return schemes;
    }
}
