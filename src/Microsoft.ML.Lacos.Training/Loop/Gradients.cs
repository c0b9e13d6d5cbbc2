using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Distributed;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Adds up, measures and shortens gradients.</summary>
internal static class Gradients
{
    /// <summary>Gives every rank the sum of all ranks' gradients, with the same bits.</summary>
    /// <param name="ranks">Several.</param>
    /// <param name="parameters">The same on every rank.</param>
    /// <param name="isWhole">Tells by name what has its whole gradient on every rank; that of rank 0 is taken.</param>
    public static void Sum(Ranks ranks, IReadOnlyList<(string Name, torch.Tensor Value)> parameters, Func<string, bool> isWhole)
    {
        // A rank without a row has no gradients. What has none on any rank stays without: the optimiser leaves it alone.
        float[]?[] own = [.. parameters.Select(item => Read(item.Value))];
        byte[] present = ranks.Gather([.. own.Select(gradient => (byte)(gradient is null ? 0 : 1))]);
        int[] exchanged = [.. Enumerable.Range(0, own.Length).Where(i => Enumerable.Range(0, ranks.Count).Any(rank => present[(rank * own.Length) + i] != 0))];
        int[] lengths = [.. exchanged.Select(i => checked((int)parameters[i].Value.NumberOfElements))];
        float[] values = new float[lengths.Sum()];
        int at = 0;
        for (int k = 0; k < exchanged.Length; k++)
        {
            if (own[exchanged[k]] is float[] gradient && (ranks.IsFirst || !isWhole(parameters[exchanged[k]].Name)))
            {
                gradient.CopyTo(values, at);
            }
            at += lengths[k];
        }
        ranks.Sum(values);
        at = 0;
        for (int k = 0; k < exchanged.Length; k++)
        {
            Write(parameters[exchanged[k]].Value, values[at..(at + lengths[k])]);
            at += lengths[k];
        }
    }

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

    private static float[]? Read(torch.Tensor value)
    {
        using torch.Tensor? gradient = value.grad;
        return gradient is null ? null : DeviceTensors.Read(gradient);
    }

    private static void Write(torch.Tensor value, float[] sum)
    {
        using torch.Tensor? gradient = value.grad;
        if (gradient is not null)
        {
            DeviceTensors.Write(gradient, sum);
            return;
        }
        using torch.Tensor made = DeviceTensors.Of(sum, value.shape, value.device);
        value.grad = made;
    }
}
