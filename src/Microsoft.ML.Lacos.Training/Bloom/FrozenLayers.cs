using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Picks the arithmetic of a frozen layer.</summary>
internal static class FrozenLayers
{
    /// <summary>fp32 weights run in fp32; row-wise int8 weights on the native int8 kernels where they are there; everything else is dequantised for each product.</summary>
    /// <param name="linear">The layer.</param>
    /// <param name="failure">Where exceptions of the backward pass go.</param>
    /// <param name="device">Where the layer runs; null for the CPU.</param>
    /// <param name="buffer">Where a layer that is dequantised makes its matrix; null for memory of its own at each product.</param>
    public static FrozenLinear Create(LinearWeights linear, BackwardFailure failure, GraphDevice? device = null, MatrixBuffer? buffer = null) => linear.Weight.Scheme switch
    {
        QuantizationScheme.None => new SinglePrecisionLinear(linear, device?.Device),
        QuantizationScheme.Rowwise when HasNativeKernels(device) && BloomEncoders.ManagedReason is null && NativeInt8Linear.CanRun(linear.Weight) => new NativeInt8Linear(linear, failure),
        _ => new DequantizedLinear(linear, failure, device, buffer),
    };

    /// <summary>Whether all blocks run on the native kernels, as <see cref="NativeLoraBlocks"/>.</summary>
    public static bool AreNative(BloomWeights weights, GraphDevice? device) => HasNativeKernels(device) && NativeLoraBlocks.CanRun(weights);

    /// <summary>Whether layers on a device may run on the native kernels.</summary>
    private static bool HasNativeKernels(GraphDevice? device) => device is null || (device.UsesNativeKernels && device.Device.type == DeviceType.CPU);
}
