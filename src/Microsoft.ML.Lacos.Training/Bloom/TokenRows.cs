using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A batch of tokenised sentences, concatenated without padding.</summary>
/// <remarks>Linear layers see the tokens as they lie here; only attention spreads them over a grid [rows, longest row], each row from the left.</remarks>
internal sealed class TokenRows
{
    /// <summary>Describes and checks a batch.</summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="ids">Token ids of all rows, concatenated.</param>
    /// <param name="offsets">rows + 1 ascending offsets into <paramref name="ids"/>.</param>
    /// <param name="poolFrom">Leading tokens of each row that pooling leaves out; null for none.</param>
    /// <param name="rowKeys">What makes a row's dropout its own, wherever in whichever batch it stands; null for its index.</param>
    /// <exception cref="ArgumentException">Offsets not ascending, an id outside the vocabulary, no token at all, or arrays of other lengths than the rows.</exception>
    public TokenRows(BloomConfig config, int[] ids, int[] offsets, int[]? poolFrom = null, long[]? rowKeys = null)
    {
        Count = RaggedBatch.Check(config, ids, offsets);
        if (ids.Length == 0)
        {
            throw new ArgumentException($"None of the batch's {Count} rows has a token; leave empty texts out of training.", nameof(ids));
        }
        if ((poolFrom is not null && poolFrom.Length != Count) || (rowKeys is not null && rowKeys.Length != Count))
        {
            throw new ArgumentException($"The batch has {Count} rows, {poolFrom?.Length ?? Count} pooling starts and {rowKeys?.Length ?? Count} row keys; give one for each row.", nameof(poolFrom));
        }
        Ids = ids;
        Offsets = offsets;
        PoolFrom = poolFrom ?? new int[Count];
        RowKeys = rowKeys ?? [.. Enumerable.Range(0, Count).Select(row => (long)row)];
        Longest = Enumerable.Range(0, Count).Max(Length);
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>Token ids of all rows.</summary>
    public int[] Ids { get; }

    /// <summary>Where each row starts, and the number of tokens.</summary>
    public int[] Offsets { get; }

    /// <summary>Leading tokens of each row that pooling leaves out.</summary>
    public int[] PoolFrom { get; }

    /// <summary>What makes a row's dropout its own.</summary>
    public long[] RowKeys { get; }

    /// <summary>Tokens of the longest row.</summary>
    public int Longest { get; }

    /// <summary>Whether the tokens lie as a full grid already.</summary>
    public bool IsGrid => (long)Count * Longest == Ids.Length;

    /// <summary>Tokens of a row.</summary>
    public int Length(int row) => Offsets[row + 1] - Offsets[row];

    /// <summary>For each place of the grid the token that stands there; places beyond a row's end repeat token 0.</summary>
    public long[] GridToToken()
    {
        var map = new long[checked(Count * Longest)];
        for (int row = 0; row < Count; row++)
        {
            for (int position = 0; position < Length(row); position++)
            {
                map[(row * Longest) + position] = Offsets[row] + position;
            }
        }
        return map;
    }

    /// <summary>For each token its place in the grid.</summary>
    public long[] TokenToGrid()
    {
        var map = new long[Ids.Length];
        for (int row = 0; row < Count; row++)
        {
            for (int position = 0; position < Length(row); position++)
            {
                map[Offsets[row] + position] = ((long)row * Longest) + position;
            }
        }
        return map;
    }
}
