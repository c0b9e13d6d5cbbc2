using System.Runtime.ExceptionServices;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Keeps what went wrong inside a custom backward function until managed code is on the stack again.</summary>
/// <remarks>An exception that leaves a backward function crosses native frames and ends the process.</remarks>
internal sealed class BackwardFailure
{
    private ExceptionDispatchInfo? _first;

    /// <summary>Computes a gradient; where that fails, keeps the first exception and gives a gradient of zeros.</summary>
    /// <param name="compute">Gives the gradient.</param>
    /// <param name="rows">Rows of the gradient.</param>
    /// <param name="width">Columns of the gradient.</param>
    /// <param name="device">Where the gradient is; null for the CPU.</param>
    public torch.Tensor Guard(Func<torch.Tensor> compute, long rows, long width, torch.Device? device = null) => Guard(compute, () => torch.zeros(rows, width, device: device));

    /// <summary>Computes gradients; where that fails, keeps the first exception and gives something in their place.</summary>
    /// <param name="compute">Gives the gradients.</param>
    /// <param name="instead">Gives what has their shapes.</param>
    public T Guard<T>(Func<T> compute, Func<T> instead)
    {
        try
        {
            return compute();
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref _first, ExceptionDispatchInfo.Capture(error), null);
            return instead();
        }
    }

    /// <summary>Throws the exception that was kept, once. To be called after every <c>backward()</c>: the gradients are worthless if it throws.</summary>
    public void ThrowIfAny() => Interlocked.Exchange(ref _first, null)?.Throw();
}
