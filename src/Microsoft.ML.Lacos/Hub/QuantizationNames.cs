using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Names of the schemes as they stand in files.</summary>
internal static class QuantizationNames
{
    /// <summary>Name of a scheme.</summary>
    public static string Of(QuantizationScheme scheme) => scheme switch
    {
        QuantizationScheme.None => "none",
        QuantizationScheme.Rowwise => "rowwise",
        QuantizationScheme.BlockwiseDynamic => "blockwise-dynamic",
        QuantizationScheme.BlockwiseLinear => "blockwise-linear",
        _ => throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Not a quantisation scheme."),
    };

    /// <summary>The line of a model in 32-bit floats.</summary>
    public const string Floats = "linear layers fp32, embeddings fp32";

    /// <summary>One line on how a model's weights are stored.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="inRows">Whether a file of them has rows, also where they are packed.</param>
    public static string Describe(BloomWeights weights, bool inRows = false) =>
        $"linear layers {Describe(weights.Blocks[0].QueryKeyValue.Weight, inRows)}, embeddings {Describe(weights.WordEmbeddings, inRows)}";

    // The kernel sets of this machine's library that use the panels in place.
    private static string Kernels(WeightPanels panels)
    {
        string[] names = [.. NativeInfo.Get().Kernels.Where(kernel => kernel.Panels == panels).Select(kernel => kernel.Name)];
        return names.Length > 0 ? $"used in place by {string.Join(", ", names)}" : $"panels {panels.Width} x {panels.Group}";
    }

    private static string Describe(WeightMatrix matrix, bool inRows) => matrix.Scheme switch
    {
        QuantizationScheme.None => "fp32",
        QuantizationScheme.Rowwise when !inRows && matrix.Panels is { } panels => $"rowwise absmax int8, packed ({Kernels(panels)})",
        QuantizationScheme.Rowwise => "rowwise absmax int8",
        _ => $"{Of(matrix.Scheme)} 8-bit, block {matrix.BlockSize}",
    };
}
