namespace Microsoft.ML.Lacos;

/// <summary>Token ids of one text, or of one window of it.</summary>
/// <param name="Ids">Token ids, prompt included.</param>
/// <param name="Row">Where the vector belongs.</param>
/// <param name="PoolFrom">Leading tokens left out of pooling.</param>
/// <param name="Weight">What a window counts in the mean of its text: the tokens pooled in it.</param>
internal sealed record TokenSequence(int[] Ids, int Row, int PoolFrom, int Weight);

/// <summary>Sequences encoded together, concatenated without padding.</summary>
internal sealed class TokenBatch
{
    private static readonly Comparer<TokenSequence> ByIds = Comparer<TokenSequence>.Create((left, right) => left.Ids.AsSpan().SequenceCompareTo(right.Ids));

    private TokenBatch(List<TokenSequence> sequences)
    {
        Sequences = sequences;
        Offsets = new int[sequences.Count + 1];
        PoolFrom = new int[sequences.Count];
        for (int i = 0; i < sequences.Count; i++)
        {
            Offsets[i + 1] = Offsets[i] + sequences[i].Ids.Length;
            PoolFrom[i] = sequences[i].PoolFrom;
        }
        Ids = new int[Offsets[^1]];
        for (int i = 0; i < sequences.Count; i++)
        {
            sequences[i].Ids.CopyTo(Ids, Offsets[i]);
        }
    }

    public List<TokenSequence> Sequences { get; }

    public int[] Ids { get; }

    public int[] Offsets { get; }

    public int[] PoolFrom { get; }

    /// <summary>Groups sequences into batches of at most <paramref name="tokens"/> tokens, of which those that a sequence shares with the one before it are not counted; a longer sequence is a batch of its own.</summary>
    /// <remarks>Sequences that begin alike follow one another: an encoder computes what such neighbours share once. As batches are not padded, lengths need not be alike. Every sequence counts a token at least, so that a batch has no more vectors than tokens.</remarks>
    public static IEnumerable<TokenBatch> Plan(IReadOnlyCollection<TokenSequence> sequences, int tokens)
    {
        var batch = new List<TokenSequence>();
        int filled = 0;
        foreach (TokenSequence sequence in sequences.Order(ByIds))
        {
            int shared = batch.Count == 0 ? 0 : sequence.Ids.AsSpan().CommonPrefixLength(batch[^1].Ids);
            int added = Math.Max(1, sequence.Ids.Length - shared);
            if (batch.Count > 0 && filled + added > tokens)
            {
                yield return new TokenBatch(batch);
                batch = [];
                filled = 0;
                added = Math.Max(1, sequence.Ids.Length);
            }
            batch.Add(sequence);
            filled += added;
        }
        if (batch.Count > 0)
        {
            yield return new TokenBatch(batch);
        }
    }
}
