using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Training.Bloom;

namespace Microsoft.ML.Lacos.Training.Tests.Bloom;

/// <summary>Batches from lists of token ids.</summary>
internal static class TestRows
{
    public static TokenRows Of(BloomConfig config, int[][] ids, int[]? poolFrom = null, long[]? rowKeys = null)
    {
        var offsets = new int[ids.Length + 1];
        for (int row = 0; row < ids.Length; row++)
        {
            offsets[row + 1] = offsets[row] + ids[row].Length;
        }
        return new TokenRows(config, [.. ids.SelectMany(row => row)], offsets, poolFrom, rowKeys);
    }
}
