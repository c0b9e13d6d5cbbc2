using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Finds how linear layers are to be packed.</summary>
internal static class PackedLayout
{
    /// <summary>The layout that a name asks for.</summary>
    /// <param name="kernels">A kernel set, <see cref="LacosModel.ThisMachine"/> or <see cref="LacosModel.NotPacked"/>.</param>
    public static WeightPanels? For(string kernels)
    {
        ArgumentException.ThrowIfNullOrEmpty(kernels);
        if (kernels == LacosModel.NotPacked)
        {
            return null;
        }
        NativeInfo native = NativeInfo.Get();
        if (!native.IsAvailable)
        {
            throw new PlatformNotSupportedException($"Weights are packed as the native kernels read them, and the native library is not available: {native.UnavailableReason}");
        }
        string name = kernels != LacosModel.ThisMachine ? kernels
            : native.ChosenKernel ?? throw new PlatformNotSupportedException($"No native kernels run here to pack for: {native.ChosenReason}. Name the kernels to pack for.");
        return native.Kernels.FirstOrDefault(kernel => kernel.Name == name)?.Panels
            ?? throw new ArgumentException($"There are no kernels '{name}' to pack for. Name one of {string.Join(", ", native.Kernels.Where(kernel => kernel.IsBuilt).Select(kernel => kernel.Name))}, {LacosModel.ThisMachine} for the one that runs here, or {LacosModel.NotPacked} to leave the weights unpacked.", nameof(kernels));
    }

    /// <summary>How the encoders of this process read linear layers in int8; <see langword="null"/> where they are managed or their kernels cannot run.</summary>
    public static WeightPanels? OfEncoders()
    {
        if (BloomEncoders.ManagedReason is not null)
        {
            return null;
        }
        NativeInfo native = NativeInfo.Get();
        return native.Kernels.FirstOrDefault(kernel => kernel.Name == native.ChosenKernel)?.Panels;
    }

    /// <summary>Refuses weights that cannot be packed.</summary>
    public static void Check(BloomWeights weights, WeightPanels? panels)
    {
        if (panels is null)
        {
            return;
        }
        foreach (BloomBlockWeights block in weights.Blocks)
        {
            foreach (LinearWeights linear in block.Linears)
            {
                if (linear.Weight.Scheme != QuantizationScheme.Rowwise)
                {
                    throw new InvalidOperationException($"The model has {linear.Weight.Scheme} linear layers; only {QuantizationScheme.Rowwise} ones are executed in int8 and packed. Quantise the model row by row first.");
                }
            }
        }
    }
}
