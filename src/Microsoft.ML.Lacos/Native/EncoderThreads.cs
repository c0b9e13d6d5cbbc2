using System.Globalization;
using System.Runtime.ExceptionServices;

namespace Microsoft.ML.Lacos.Native;

/// <summary>Loops over independent pieces of work. A piece never knows which thread runs it, and no two pieces add into one number.</summary>
internal static class EncoderThreads
{
    /// <summary>Most threads of an encoder, native or managed.</summary>
    public const int Most = 256;

    /// <summary>The thread count meant by an option: 0 is <c>LACOS_NUM_THREADS</c>, else what CPU affinity and the container's quota allow.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public static int Resolve(int threadCount)
    {
        if (threadCount < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(threadCount), threadCount, "The thread count must be 1 or more, or 0 for as many as LACOS_NUM_THREADS says, else as affinity and quota allow.");
        }
        return threadCount == 0 ? Default(Environment.GetEnvironmentVariable("LACOS_NUM_THREADS"), Environment.ProcessorCount) : threadCount;
    }

    /// <summary>The rule of the native library's <c>thread_count.cpp</c>: a wish that is no number from 1 to 256 is none.</summary>
    /// <param name="wish">Value of <c>LACOS_NUM_THREADS</c>.</param>
    /// <param name="processors">What affinity, quota and <c>DOTNET_PROCESSOR_COUNT</c> allow, as <see cref="Environment.ProcessorCount"/> has it.</param>
    internal static int Default(string? wish, int processors) =>
        int.TryParse(wish, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= Most ? count : Math.Min(processors, Most);

    /// <summary>What to tell where <c>LACOS_NUM_THREADS</c> says something that cannot be followed; null where it is right or not set.</summary>
    /// <param name="wish">Value of <c>LACOS_NUM_THREADS</c>.</param>
    internal static string? Problem(string? wish) =>
        string.IsNullOrEmpty(wish) || Default(wish, -1) > 0 ? null : $"LACOS_NUM_THREADS is '{wish}', not a number from 1 to {Most}, and has no effect. Correct or unset the variable.";

    /// <summary>Options of a parallel loop on as many threads as <see cref="Resolve"/> gives for 0.</summary>
    public static ParallelOptions Options() => new() { MaxDegreeOfParallelism = Resolve(0) };

    /// <summary>Runs <paramref name="piece"/> for 0..<paramref name="count"/>-1 on at most <paramref name="degree"/> threads, this one included. An error of a piece is thrown as it is; of several, one.</summary>
    public static void Run(int count, int degree, Action<int> piece)
    {
        if (degree <= 1 || count <= 1)
        {
            for (int i = 0; i < count; i++)
            {
                piece(i);
            }
            return;
        }
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = degree }, piece);
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.Flatten().InnerExceptions[0]);
        }
    }
}
