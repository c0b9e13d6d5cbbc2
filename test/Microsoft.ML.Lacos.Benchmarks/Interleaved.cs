using System.Diagnostics;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Times several things in turns, so that a slow minute of the machine falls on all of them.</summary>
internal static class Interleaved
{
    /// <summary>One turn is enough: for a run that checks the program, not the machine.</summary>
    public static bool IsBrief { get; set; }

    // Threads of OpenMP spin for some milliseconds after their last loop; without a pause they would take a core from whoever comes next.
    private const int PauseMilliseconds = 15;

    /// <summary>Burst for what takes milliseconds: the system needs some of its ticks to move threads apart that were woken on one core.</summary>
    public const double BurstSeconds = 0.06;

    // Noise is small beside a run of this length; several would make the whole take hours.
    private const double LongRunSeconds = 10;

    /// <summary>Runs each action in turns, with a pause before each.</summary>
    /// <param name="actions">What to time; the argument counts the runs, so that inputs can rotate. Each is run once before; that counts only where it took so long that once is enough.</param>
    /// <param name="seconds">Stop starting new turns after this long.</param>
    /// <param name="leastTurns">Turns to take in any case.</param>
    /// <param name="burst">A turn repeats the action for so many seconds and counts with the mean; 0 for one run a turn.</param>
    /// <returns>Median seconds of each action.</returns>
    public static double[] Medians(IReadOnlyList<Action<int>> actions, double seconds, int leastTurns = 5, double burst = 0)
    {
        List<double>[] times = [.. actions.Select(_ => new List<double>())];
        double[] first = [.. actions.Select(action => Time(action, 0, 0))];
        var total = Stopwatch.StartNew();
        for (int turn = 1; turn <= (IsBrief ? 1 : leastTurns) || total.Elapsed.TotalSeconds < seconds; turn++)
        {
            for (int i = 0; i < actions.Count; i++)
            {
                if (first[i] >= LongRunSeconds)
                {
                    times[i] = [first[i]];
                    continue;
                }
                if (!IsBrief && actions.Count > 1)
                {
                    Thread.Sleep(PauseMilliseconds);
                }
                times[i].Add(Time(actions[i], turn, IsBrief ? 0 : burst));
            }
        }
        return [.. times.Select(Median)];
    }

    /// <summary>Of at least one value; sorts them.</summary>
    public static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    private static double Time(Action<int> action, int turn, double burst)
    {
        long start = Stopwatch.GetTimestamp();
        int runs = 0;
        do
        {
            action(turn);
            runs++;
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < burst);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
    }
}
