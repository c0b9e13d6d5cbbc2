using System.Diagnostics;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Times several things in turns, so that a slow minute of the machine falls on all of them.</summary>
internal static class Interleaved
{
    /// <summary>One turn is enough: for a run that checks the program, not the machine.</summary>
    public static bool IsBrief { get; set; }

    /// <summary>Runs each action in turns.</summary>
    /// <param name="actions">What to time; the argument counts the runs, so that inputs can rotate. Each is run once before, untimed.</param>
    /// <param name="seconds">Stop starting new turns after this long.</param>
    /// <param name="leastTurns">Turns to take in any case.</param>
    /// <returns>Median seconds of each action.</returns>
    public static double[] Medians(IReadOnlyList<Action<int>> actions, double seconds, int leastTurns = 5)
    {
        foreach (Action<int> action in actions)
        {
            action(0);
        }
        var times = new List<double>[actions.Count];
        for (int i = 0; i < times.Length; i++)
        {
            times[i] = [];
        }
        var total = Stopwatch.StartNew();
        for (int turn = 1; turn <= (IsBrief ? 1 : leastTurns) || total.Elapsed.TotalSeconds < seconds; turn++)
        {
            for (int i = 0; i < actions.Count; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i](turn);
                times[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
        return [.. times.Select(Median)];
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
