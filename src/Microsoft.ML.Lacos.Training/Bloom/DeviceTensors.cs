using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>The way of numbers between managed memory and tensors on any device.</summary>
/// <remarks>A tensor's memory can be reached on the CPU only. Small tensors go through a copy on every device, so that what is tested on the CPU is what runs elsewhere.</remarks>
internal static class DeviceTensors
{
    /// <summary>Makes an fp32 tensor whose memory is torch's own.</summary>
    /// <remarks>
    /// <c>torch.tensor</c> leaves the numbers in a managed array, which begins elsewhere in a cache line each time; products of vectors add up in another order by it, and a run is not the same to the bit.
    /// </remarks>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">As many elements.</param>
    /// <param name="device">Where the tensor goes; null for the CPU.</param>
    public static torch.Tensor Of(float[] values, ReadOnlySpan<long> shape, torch.Device? device = null)
    {
        torch.Tensor here = torch.empty(shape, dtype: torch.ScalarType.Float32);
        values.CopyTo(MemoryMarshal.Cast<byte, float>(here.bytes));
        return Move(here, device ?? torch.CPU);
    }

    /// <summary>Copies an fp32 tensor's elements, row-major.</summary>
    public static float[] Read(torch.Tensor tensor)
    {
        using torch.Tensor detached = tensor.detach();
        using torch.Tensor here = detached.cpu();
        using torch.Tensor packed = here.contiguous();
        return MemoryMarshal.Cast<byte, float>(packed.bytes).ToArray();
    }

    /// <summary>Overwrites an fp32 tensor's elements, outside any graph.</summary>
    /// <param name="tensor">Keeps its place and device.</param>
    /// <param name="values">As many as it has, row-major.</param>
    public static void Write(torch.Tensor tensor, float[] values)
    {
        using IDisposable noGradient = torch.no_grad();
        using torch.Tensor here = torch.tensor(values, tensor.shape);
        using torch.Tensor detached = tensor.detach();
        detached.copy_(here).Dispose();
    }

    /// <summary>Takes a tensor of the CPU to a device, where it is not there already.</summary>
    public static torch.Tensor Move(torch.Tensor tensor, torch.Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            return tensor;
        }
        using torch.Tensor here = tensor;
        return here.to(device);
    }
}
