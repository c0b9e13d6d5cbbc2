using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Where the training graph lives, and how 8-bit weights are multiplied there.</summary>
/// <param name="Device">Of adapters, frozen weights and activations.</param>
/// <param name="Product">Type to which 8-bit weights are dequantised for a product of torch's: fp32 or bf16.</param>
/// <param name="UsesNativeKernels">Whether row-wise weights on the CPU run on the native int8 kernels where these are there.</param>
internal sealed record GraphDevice(torch.Device Device, torch.ScalarType Product = torch.ScalarType.Float32, bool UsesNativeKernels = true)
{
    /// <summary>The CPU with the native kernels.</summary>
    public static GraphDevice Cpu { get; } = new(torch.CPU);

    /// <summary>What a checkpoint must be continued with; empty for the CPU with the native kernels.</summary>
    public string Settings => Device.type == DeviceType.CPU && UsesNativeKernels && Product == torch.ScalarType.Float32
        ? ""
        : $" on {Device.type}{(Device.type == DeviceType.CPU && UsesNativeKernels ? "" : " by torch")}, products in {Product}";

    /// <summary>Picks the device.</summary>
    /// <param name="gpu">The GPU asked for; null for the CPU.</param>
    /// <param name="fallback">Whether the CPU will do where the GPU cannot be had.</param>
    /// <param name="product">Type of torch's products.</param>
    /// <param name="countGpus">Tells how many CUDA devices torch sees; asked only where a GPU is.</param>
    /// <param name="warn">Told why the CPU is taken instead of the GPU.</param>
    /// <exception cref="NotSupportedException">The GPU cannot be had, and the CPU will not do.</exception>
    public static GraphDevice Choose(int? gpu, bool fallback, torch.ScalarType product, Func<int> countGpus, Action<string> warn)
    {
        if (gpu is not int index)
        {
            return Cpu with { Product = product };
        }
        int count = countGpus();
        if (index >= 0 && index < count)
        {
            return new GraphDevice(new torch.Device(DeviceType.CUDA, index), product, UsesNativeKernels: false);
        }
        string reason = count > 0
            ? $"GpuDeviceId is {index}, but torch sees {count} CUDA device(s), numbered from 0"
            : $"GpuDeviceId is {index}, but torch sees no CUDA device; it needs an NVIDIA GPU with its driver, and the package TorchSharp-cuda-linux or TorchSharp-cuda-windows in place of a libtorch-cpu package";
        if (!fallback)
        {
            throw new NotSupportedException($"{reason}. Set FallbackToCpu to train on the CPU, or leave GpuDeviceId null.");
        }
        warn($"{reason}. Training runs on the CPU.");
        return Cpu with { Product = product };
    }
}
