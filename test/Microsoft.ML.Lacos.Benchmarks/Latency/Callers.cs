using System.Diagnostics;

namespace Microsoft.ML.Lacos.Benchmarks.Latency;

/// <summary>Several threads that call one thing, each as soon as its last call is done.</summary>
internal static class Callers
{
    /// <summary>Lets them call for some time.</summary>
    /// <param name="count">Callers.</param>
    /// <param name="seconds">No new call starts after this long.</param>
    /// <param name="call">The call; gets a number that no other call of this run has.</param>
    /// <returns>Seconds of each call, sorted, and calls a second of all callers together.</returns>
    public static (double[] Sorted, double Rate) Run(int count, double seconds, Action<int> call)
    {
        call(0);
        var times = new List<double>[count];
        int calls = 0;
        Exception? failure = null;
        using var together = new Barrier(count + 1);
        Thread[] threads = [.. Enumerable.Range(0, count).Select(caller => new Thread(() => Work(times[caller] = [])))];
        Array.ForEach(threads, thread => thread.Start());
        together.SignalAndWait();
        long begin = Stopwatch.GetTimestamp();
        Array.ForEach(threads, thread => thread.Join());
        double total = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        if (failure is not null)
        {
            throw new InvalidOperationException($"A call failed: {failure.Message}", failure);
        }
        double[] sorted = [.. times.SelectMany(own => own).Order()];
        return (sorted, sorted.Length / total);

        void Work(List<double> own)
        {
            together.SignalAndWait();
            var watch = Stopwatch.StartNew();
            try
            {
                do
                {
                    double start = watch.Elapsed.TotalSeconds;
                    call(Interlocked.Increment(ref calls));
                    own.Add(watch.Elapsed.TotalSeconds - start);
                }
                while (watch.Elapsed.TotalSeconds < seconds);
            }
            catch (Exception error)
            {
                failure = error;
            }
        }
    }
}
