using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>Memory that no cache holds, and how fast threads read it.</summary>
internal sealed unsafe partial class UncachedMemory : IDisposable
{
    private const int HugePage = 2 << 20;
    private const int HugePages = 14; // MADV_HUGEPAGE

    private readonly int _threads;
    private readonly long _slice;
    private byte* _data;

    public UncachedMemory(int threads, bool isBrief)
    {
        long bytes = isBrief ? 1L << 26 : 1L << 30;
        _threads = threads;
        _slice = bytes / threads / 4096 * 4096;
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, HugePage);
        if (OperatingSystem.IsLinux())
        {
            // With small pages a fifth is lost to looking them up. Where huge ones cannot be had, small ones will do.
            _ = Advise(_data, (nuint)bytes, HugePages);
        }
        NativeMemory.Fill(_data, (nuint)bytes, 1);
    }

    /// <summary>Each thread reads its part so many times; bytes a second of all, in units of 10^9, in the best pass.</summary>
    public double Read(int passes)
    {
        // Threads of its own: a pool may give one where two are asked for.
        var seconds = new double[_threads, passes];
        Thread[] others = [.. Enumerable.Range(1, _threads - 1).Select(thread => new Thread(() => ReadSlice(thread, seconds)))];
        Array.ForEach(others, thread => thread.Start());
        ReadSlice(0, seconds);
        Array.ForEach(others, thread => thread.Join());
        return Enumerable.Range(0, passes).Max(pass => Enumerable.Range(0, _threads).Sum(thread => _slice / seconds[thread, pass])) * 1e-9;
    }

    private void ReadSlice(int thread, double[,] seconds)
    {
        for (int pass = 0; pass < seconds.GetLength(1); pass++)
        {
            long start = Stopwatch.GetTimestamp();
            GC.KeepAlive(Sum(_data + (thread * _slice), _slice));
            seconds[thread, pass] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        _data = null;
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
