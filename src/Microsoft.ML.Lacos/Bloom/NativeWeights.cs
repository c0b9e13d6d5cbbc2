using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Weights as the native library is given them: addresses, valid as long as the pinned arrays and the weights' own memory.</summary>
internal static unsafe class NativeWeights
{
    /// <summary>Shape and arithmetic; threads, kernels and outliers are left at their defaults.</summary>
    public static NativeModelConfig Config(BloomConfig config, BloomCompute compute) => new()
    {
        StructSize = sizeof(NativeModelConfig),
        HiddenSize = config.HiddenSize,
        LayerCount = config.LayerCount,
        HeadCount = config.HeadCount,
        VocabularySize = config.VocabularySize,
        ResidualPostLayerNorm = config.ResidualPostLayerNorm ? 1 : 0,
        LayerNormEpsilon = config.LayerNormEpsilon,
        Compute = (int)compute,
    };

    /// <summary>One block.</summary>
    public static NativeBlock Block(BloomBlockWeights block, int hidden, PinnedArrays arrays) => new()
    {
        InputLayerNorm = Norm(block.InputLayerNorm, hidden, arrays),
        QueryKeyValue = Linear(block.QueryKeyValue, arrays),
        Dense = Linear(block.Dense, arrays),
        PostAttentionLayerNorm = Norm(block.PostAttentionLayerNorm, hidden, arrays),
        DenseHTo4H = Linear(block.DenseHTo4H, arrays),
        Dense4HToH = Linear(block.Dense4HToH, arrays),
    };

    /// <summary>Gain and bias.</summary>
    public static NativeLayerNorm Norm(LayerNormWeights norm, int hidden, PinnedArrays arrays) =>
        norm.Weight.Length == hidden && norm.Bias.Length == hidden
            ? new NativeLayerNorm { Weight = arrays.Pin(norm.Weight), Bias = arrays.Pin(norm.Bias) }
            : throw new ArgumentException($"A layer norm has {norm.Weight.Length} gains and {norm.Bias.Length} biases; the hidden size is {hidden}.");

    /// <summary>A matrix, quantised or not.</summary>
    public static NativeMatrix Matrix(WeightMatrix matrix, PinnedArrays arrays) => new()
    {
        // Both block-wise schemes differ only in their code book.
        Scheme = matrix.Scheme == QuantizationScheme.BlockwiseLinear ? (int)QuantizationScheme.BlockwiseDynamic : (int)matrix.Scheme,
        Rows = matrix.Rows,
        Columns = matrix.Columns,
        BlockSize = matrix.BlockSize,
        Data = matrix.Address,
        Scales = arrays.Pin(matrix.Scales),
        ScaleCount = matrix.Scales.LongLength,
        CodeBook = arrays.Pin(matrix.CodeBook),
        Panels = matrix.Panels is { } panels ? new NativePanels { Columns = panels.Width, Group = panels.Group, Flip = panels.Flip } : default,
    };

    /// <summary>The linear layers have been packed: where they lie in a mapped file, their pages need not stay in memory twice. Those that the kernels use in place stay.</summary>
    public static void LetGoOfLinears(BloomWeights weights, string isa)
    {
        WeightPanels? inPlace = NativeInfo.Get().Kernels.Single(kernel => kernel.Name == isa).Panels;
        foreach (BloomBlockWeights block in weights.Blocks)
        {
            LetGoOfLinears(block, inPlace);
        }
    }

    /// <inheritdoc cref="LetGoOfLinears(BloomWeights, string)"/>
    /// <param name="block">The block.</param>
    /// <param name="inPlace">Panels that are used where they lie; <see langword="null"/> where all layers have been packed into memory of their own.</param>
    public static void LetGoOfLinears(BloomBlockWeights block, WeightPanels? inPlace = null)
    {
        foreach (LinearWeights linear in block.Linears)
        {
            if (linear.Weight.Panels is null || linear.Weight.Panels != inPlace)
            {
                (linear.Weight.Owner as SafetensorsFile)?.LetGo(linear.Weight.Address, linear.Weight.DataLength);
            }
        }
    }

    private static NativeLinear Linear(LinearWeights linear, PinnedArrays arrays) =>
        linear.Bias.Length == linear.Weight.Rows
            ? new NativeLinear { Weight = Matrix(linear.Weight, arrays), Bias = arrays.Pin(linear.Bias) }
            : throw new ArgumentException($"A linear layer with {linear.Weight.Rows} out features has {linear.Bias.Length} biases.");
}
