namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>The rows of a batch that one rank encodes: neighbouring ones, as many on each rank but for one.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many.</param>
internal readonly record struct RankRows(int First, int Count)
{
    public static RankRows Of(int rows, int rank, int ranks)
    {
        int first = (int)((long)rows * rank / ranks);
        return new RankRows(first, (int)((long)rows * (rank + 1) / ranks) - first);
    }

    /// <summary>Most rows of any rank.</summary>
    public static int Most(int rows, int ranks) => (rows + ranks - 1) / ranks;
}
