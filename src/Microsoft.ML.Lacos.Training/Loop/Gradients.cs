using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Measures and shortens gradients.</summary>
internal static class Gradients
{
    /// <summary>Euclidean norm of all gradients together, summed in double in a fixed order.</summary>
    public static double Norm(IReadOnlyList<(string Name, torch.Tensor Value)> parameters)
    {
        double sum = 0;
        foreach ((_, torch.Tensor value) in parameters)
        {
            using torch.Tensor? gradient = value.grad;
            if (gradient is null)
            {
                continue;
            }
            using torch.Tensor here = gradient.cpu();
            using torch.Tensor packed = here.contiguous();
            foreach (float element in MemoryMarshal.Cast<byte, float>(packed.bytes))
            {
                sum += (double)element * element;
            }
        }
        return Math.Sqrt(sum);
    }

    /// <summary>Scales gradients whose norm is above a limit down to it.</summary>
    public static void Clip(IReadOnlyList<(string Name, torch.Tensor Value)> parameters, double norm, double limit)
    {
        if (limit <= 0 || norm <= limit)
        {
            return;
        }
        using IDisposable noGradient = torch.no_grad();
        foreach ((_, torch.Tensor value) in parameters)
        {
            using torch.Tensor? gradient = value.grad;
            gradient?.TimesInPlace((float)(limit / norm));
        }
    }
}
