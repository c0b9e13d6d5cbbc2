namespace Microsoft.ML.Lacos.Training.Tests;

/// <summary>Collects garbage and runs finalizers without pause until disposed: what native code uses without a reference to it is freed under its hands.</summary>
internal sealed class CollectingThread : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _stopped;

    public CollectingThread()
    {
        _thread = new Thread(Collect);
        _thread.Start();
    }

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
    }

    private void Collect()
    {
        while (!_stopped)
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }
    }
}
