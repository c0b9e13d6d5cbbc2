namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Checks what callers give to an encoder before anything is read by address, and cuts batches into groups of sentences.</summary>
internal static class RaggedBatch
{
    /// <summary>Checks token ids and offsets.</summary>
    /// <returns>The number of rows.</returns>
    /// <exception cref="ArgumentException">Offsets missing or not ascending, an id outside the vocabulary, or a row too long to hold its activations.</exception>
    public static int Check(BloomConfig config, ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets)
    {
        if (rowOffsets.Length == 0 || rowOffsets[0] != 0 || rowOffsets[^1] != tokenIds.Length)
        {
            string seen = rowOffsets.Length == 0 ? "there are none" : $"they run from {rowOffsets[0]} to {rowOffsets[^1]}";
            throw new ArgumentException($"Row offsets must run from 0 to the number of token ids, {tokenIds.Length}; {seen}.", nameof(rowOffsets));
        }
        int longest = Array.MaxLength / config.FeedForwardSize;
        for (int row = 1; row < rowOffsets.Length; row++)
        {
            int length = rowOffsets[row] - rowOffsets[row - 1];
            if (length < 0 || rowOffsets[row] > tokenIds.Length)
            {
                throw new ArgumentException($"Row offsets must ascend; offset {row} is {rowOffsets[row]} after {rowOffsets[row - 1]}.", nameof(rowOffsets));
            }
            if (length > longest)
            {
                throw new ArgumentException($"Row {row - 1} has {length} tokens; a row of this model can have {longest}. Truncate it or split it into windows.", nameof(rowOffsets));
            }
        }
        for (int i = 0; i < tokenIds.Length; i++)
        {
            if ((uint)tokenIds[i] >= (uint)config.VocabularySize)
            {
                throw new ArgumentException($"Token id {tokenIds[i]} at position {i} is outside the vocabulary of {config.VocabularySize}. The tokenizer belongs to another model.", nameof(tokenIds));
            }
        }
        return rowOffsets.Length - 1;
    }

    /// <summary>Checks the rest of what a pooled encoding is given.</summary>
    /// <returns>Elements of one vector.</returns>
    /// <exception cref="ArgumentException">Impossible pooling options, or a span of the wrong length.</exception>
    public static int CheckPooling(BloomConfig config, int rows, ReadOnlySpan<int> poolFrom, PoolingOptions options, ReadOnlySpan<float> vectors)
    {
        int dimension = Pooling.Dimension(config.HiddenSize, options);
        if (poolFrom.Length != 0 && poolFrom.Length != rows)
        {
            throw new ArgumentException($"There are {poolFrom.Length} pooling starts for {rows} rows; give one a row, or none.", nameof(poolFrom));
        }
        foreach (int start in poolFrom)
        {
            if (start < 0)
            {
                throw new ArgumentException($"A pooling start is {start}; it counts leading tokens and cannot be negative.", nameof(poolFrom));
            }
        }
        CheckLength(vectors.Length, rows, dimension, nameof(vectors));
        return dimension;
    }

    /// <summary>Checks that an output holds exactly <paramref name="rows"/> x <paramref name="width"/> elements.</summary>
    public static void CheckLength(int length, int rows, int width, string name)
    {
        if (length != (long)rows * width)
        {
            throw new ArgumentException($"The output has {length} elements; {rows} rows of {width} need {(long)rows * width}.", name);
        }
    }

    /// <summary>Cuts rows into groups of at most <paramref name="tokens"/> tokens, in order; a longer row is a group of its own.</summary>
    /// <returns>First row of each group, and the row count.</returns>
    public static int[] Groups(ReadOnlySpan<int> rowOffsets, int tokens)
    {
        List<int> starts = [0];
        for (int row = 1; row < rowOffsets.Length - 1; row++)
        {
            if (rowOffsets[row + 1] - rowOffsets[starts[^1]] > tokens)
            {
                starts.Add(row);
            }
        }
        starts.Add(rowOffsets.Length - 1);
        return [.. starts];
    }
}
