namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>The machine's limits as two more contestants, measured in the same turns as what is compared with them: what a host gives from minute to minute then changes both.</summary>
/// <param name="threads">Threads that everything runs on.</param>
/// <param name="operations">Integer operations of a run at the int8 peak.</param>
/// <param name="bytes">Bytes that a run must read from memory; 0 where caches may hold them.</param>
internal sealed class LimitTurns(int threads, double operations, double bytes) : IDisposable
{
    // A read of the whole memory takes some ten milliseconds; the first of a turn may find its threads on one core.
    private const int Reads = 3;

    private readonly UncachedMemory? _memory = bytes > 0 ? new UncachedMemory(threads, Hardware.IsBrief) : null;
    private readonly List<double> _peaks = [];
    private readonly List<double> _bandwidths = [];

    /// <summary>For <see cref="Interleaved.Medians"/>, after the engines; what they take is of no interest.</summary>
    public IEnumerable<Action<int>> Actions => _memory is null ? [MeasurePeak] : [MeasurePeak, MeasureBandwidth];

    /// <summary>Seconds that a run takes at least, by the medians of the turns so far.</summary>
    public double Seconds => Math.Max(operations / (Interleaved.Median(_peaks) * 1e9), _memory is null ? 0 : bytes / (Interleaved.Median(_bandwidths) * 1e9));

    public void Dispose() => _memory?.Dispose();

    // The run before the turns counts for nobody.
    private void MeasurePeak(int turn)
    {
        double peak = Hardware.Int8Rate(threads, Hardware.IsBrief ? 0.01 : Interleaved.BurstSeconds);
        if (turn > 0)
        {
            _peaks.Add(peak);
        }
    }

    private void MeasureBandwidth(int turn)
    {
        double bandwidth = _memory!.Read(Hardware.IsBrief ? 1 : Reads);
        if (turn > 0)
        {
            _bandwidths.Add(bandwidth);
        }
    }
}
