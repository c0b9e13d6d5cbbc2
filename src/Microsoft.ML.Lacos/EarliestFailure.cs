using System.Runtime.ExceptionServices;

namespace Microsoft.ML.Lacos;

/// <summary>The error of the lowest index in a parallel loop: what a loop without threads would have thrown.</summary>
/// <remarks>An error does not stop the loop, which would leave out lower indices; those above it are passed over.</remarks>
internal sealed class EarliestFailure
{
    private readonly object _lock = new();
    private ExceptionDispatchInfo? _error;
    private int _index = int.MaxValue;

    /// <summary>Runs the body of one index and keeps its error.</summary>
    public void Watch(int index, Action body)
    {
        if (index > Volatile.Read(ref _index))
        {
            return;
        }
        try
        {
            body();
        }
        catch (Exception error)
        {
            lock (_lock)
            {
                if (index < _index)
                {
                    _error = ExceptionDispatchInfo.Capture(error);
                    Volatile.Write(ref _index, index);
                }
            }
        }
    }

    /// <summary>Throws the error kept; to be called after the loop.</summary>
    public void Throw() => _error?.Throw();
}
