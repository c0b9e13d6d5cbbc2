namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Token rows of consecutive sentences, of which each shares its leading tokens with the sentence before it.</summary>
/// <remarks>In a causal model the states of a token depend on it and on the tokens before it alone: sentences that begin alike have the same states there, bit for bit, and need one row for both.</remarks>
internal sealed class SharedRows
{
    private readonly int[] _rows;
    private readonly int[] _offsets;
    private readonly int[] _shared;

    private SharedRows(int[] ids, int[] rows, int[] offsets, int[] shared) => (Ids, _rows, _offsets, _shared) = (ids, rows, offsets, shared);

    /// <summary>Token id of each row.</summary>
    public int[] Ids { get; }

    /// <summary>Whether any row serves several sentences.</summary>
    public bool AnyShared => Ids.Length < _rows.Length;

    /// <summary>How many sentences there are.</summary>
    public int SentenceCount => _shared.Length;

    /// <summary>The row of each token of a sentence. Those of the tokens behind the shared ones are consecutive.</summary>
    public ReadOnlySpan<int> RowsOf(int sentence) => _rows.AsSpan(_offsets[sentence], _offsets[sentence + 1] - _offsets[sentence]);

    /// <summary>Leading tokens of a sentence whose rows are those of earlier sentences.</summary>
    public int SharedTokens(int sentence) => _shared[sentence];

    /// <summary>Finds what sentences share.</summary>
    /// <param name="tokenIds">Token ids of all sentences.</param>
    /// <param name="offsets">sentences + 1 ascending offsets, the first 0.</param>
    /// <param name="share">Whether to; else every token has a row of its own.</param>
    public static SharedRows Of(ReadOnlySpan<int> tokenIds, int[] offsets, bool share)
    {
        var ids = new List<int>(tokenIds.Length);
        var rows = new int[tokenIds.Length];
        var shared = new int[offsets.Length - 1];
        for (int sentence = 0; sentence < shared.Length; sentence++)
        {
            int start = offsets[sentence], before = sentence == 0 ? start : offsets[sentence - 1];
            ReadOnlySpan<int> own = tokenIds[start..offsets[sentence + 1]];
            int common = share ? own.CommonPrefixLength(tokenIds[before..start]) : 0;
            rows.AsSpan(before, common).CopyTo(rows.AsSpan(start));
            for (int token = common; token < own.Length; token++)
            {
                rows[start + token] = ids.Count;
                ids.Add(own[token]);
            }
            shared[sentence] = common;
        }
        return new SharedRows([.. ids], rows, offsets, shared);
    }

    /// <summary>Rows that sentences take up one after the other, each beside the one before it.</summary>
    /// <returns>sentences + 1 ascending numbers, the first 0.</returns>
    public static int[] Ends(ReadOnlySpan<int> tokenIds, int[] offsets)
    {
        var ends = new int[offsets.Length];
        for (int sentence = 0; sentence < offsets.Length - 1; sentence++)
        {
            ReadOnlySpan<int> own = tokenIds[offsets[sentence]..offsets[sentence + 1]];
            ends[sentence + 1] = ends[sentence] + own.Length - (sentence == 0 ? 0 : own.CommonPrefixLength(tokenIds[offsets[sentence - 1]..offsets[sentence]]));
        }
        return ends;
    }

    /// <summary>Copies a sentence's part of some rows, token by token.</summary>
    /// <param name="sentence">Which.</param>
    /// <param name="x">[rows, stride].</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="column">First element of a row that is copied.</param>
    /// <param name="width">How many are.</param>
    /// <param name="y">Output, [tokens of the sentence, width].</param>
    public void Gather(int sentence, ReadOnlySpan<float> x, int stride, int column, int width, Span<float> y)
    {
        ReadOnlySpan<int> rows = RowsOf(sentence);
        for (int token = 0; token < rows.Length; token++)
        {
            x.Slice((rows[token] * stride) + column, width).CopyTo(y[(token * width)..]);
        }
    }
}
