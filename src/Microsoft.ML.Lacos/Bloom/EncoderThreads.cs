namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Loops over independent pieces of work. A piece never knows which thread runs it, and no two pieces add into one number.</summary>
internal static class EncoderThreads
{
    /// <summary>The thread count meant by an option: 0 is the processor's own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public static int Resolve(int threadCount)
    {
        if (threadCount < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(threadCount), threadCount, "The thread count must be 1 or more, or 0 for the processor's own.");
        }
        return threadCount == 0 ? Environment.ProcessorCount : threadCount;
    }

    /// <summary>Runs <paramref name="piece"/> for 0..<paramref name="count"/>-1 on at most <paramref name="degree"/> threads, this one included.</summary>
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
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = degree }, piece);
    }
}
