using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>What this machine can do at most, measured in the run that compares with it.</summary>
internal static unsafe class Hardware
{
    /// <summary>Measure for a moment only: for a run that checks the program, not the machine.</summary>
    public static bool IsBrief { get; set; }

    private static readonly Dictionary<int, double> s_peaks = [];

    private static int Attempts => IsBrief ? 1 : 5;

    /// <summary>Integer operations a second, in units of 10^9, that the chosen instruction set reaches from registers: 2 for each multiply-add. The most that this run has seen:
    /// a moment in which another engine's threads still hold a core must not make a layer look better.</summary>
    public static double Int8Peak(int threads)
    {
        double best = s_peaks.GetValueOrDefault(threads);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            best = Math.Max(best, Int8Rate(threads, IsBrief ? 0.01 : 0.1));
        }
        return s_peaks[threads] = best;
    }

    /// <summary>The same at this moment: the best quarter of so many seconds.</summary>
    public static double Int8Rate(int threads, double seconds)
    {
        double operations;
        NativeMethods.Check(NativeMethods.lacos_measure_int8_peak(null, threads, seconds, &operations));
        return operations * 1e-9;
    }

    /// <summary>Bytes a second, in units of 10^9, that threads read from memory no cache holds: the most of some attempts.</summary>
    public static double ReadBandwidth(int threads)
    {
        using var memory = new UncachedMemory(threads, IsBrief);
        return memory.Read(Attempts);
    }
}
