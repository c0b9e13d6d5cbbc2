using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>What this machine can do at most, measured in the run that compares with it.</summary>
internal static unsafe partial class Hardware
{
    private const int HugePage = 2 << 20;
    private const int HugePages = 14; // MADV_HUGEPAGE

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
            double operations;
            NativeMethods.Check(NativeMethods.lacos_measure_int8_peak(null, threads, IsBrief ? 0.01 : 0.1, &operations));
            best = Math.Max(best, operations * 1e-9);
        }
        return s_peaks[threads] = best;
    }

    /// <summary>Bytes a second, in units of 10^9, that threads read from memory no cache holds.</summary>
    public static double ReadBandwidth(int threads)
    {
        long bytes = IsBrief ? 1L << 26 : 1L << 30;
        long slice = bytes / threads / 4096 * 4096;
        byte* data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, HugePage);
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // With small pages a fifth is lost to looking them up. Where huge ones cannot be had, small ones will do.
                _ = Advise(data, (nuint)bytes, HugePages);
            }
            NativeMemory.Fill(data, (nuint)bytes, 1);
            double best = 0;
            for (int attempt = 0; attempt < Attempts; attempt++)
            {
                long start = Stopwatch.GetTimestamp();
                Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread => GC.KeepAlive(Sum(data + (thread * slice), slice)));
                best = Math.Max(best, slice * threads / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            return best * 1e-9;
        }
        finally
        {
            NativeMemory.AlignedFree(data);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);

    private static ulong Sum(byte* data, long length)
    {
        Vector<ulong> a = default, b = default, c = default, d = default;
        int width = Vector<byte>.Count;
        for (long i = 0; i < length; i += 4 * width)
        {
            a += *(Vector<ulong>*)(data + i);
            b += *(Vector<ulong>*)(data + i + width);
            c += *(Vector<ulong>*)(data + i + (2 * width));
            d += *(Vector<ulong>*)(data + i + (3 * width));
        }
        return Vector.Sum(a + b + c + d);
    }
}
