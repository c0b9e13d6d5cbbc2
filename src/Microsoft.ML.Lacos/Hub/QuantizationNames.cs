using Microsoft.ML.Lacos.Bloom;
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

    /// <summary>One line on how a model's weights are stored.</summary>
    public static string Describe(BloomWeights weights) =>
        $"linear layers {Describe(weights.Blocks[0].QueryKeyValue.Weight)}, embeddings {Describe(weights.WordEmbeddings)}";

    private static string Describe(WeightMatrix matrix) => matrix.Scheme switch
    {
        QuantizationScheme.None => "fp32",
        QuantizationScheme.Rowwise => "rowwise absmax int8",
        _ => $"{Of(matrix.Scheme)} 8-bit, block {matrix.BlockSize}",
    };
}
