namespace Microsoft.ML.Lacos.Quantization;

/// <summary>What long work on a model's weights tells while it goes on, and what ends it.</summary>
/// <param name="report">Called with the elements of matrices that are done and with all there are, from any thread, perhaps from several at once; <see langword="null"/> for nobody.</param>
/// <param name="cancellationToken">Ends the work.</param>
internal sealed class WeightProgress(Action<long, long>? report, CancellationToken cancellationToken)
{
    private long _total;
    private long _done;

    /// <summary>Ends the work.</summary>
    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Says how many elements there are.</summary>
    public void Begin(long total)
    {
        _total = total;
        _done = 0;
        report?.Invoke(0, total);
    }

    /// <summary>Says that so many more are done.</summary>
    /// <exception cref="OperationCanceledException">The work is to end.</exception>
    public void Add(long elements)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long done = Interlocked.Add(ref _done, elements);
        report?.Invoke(done, _total);
    }
}
