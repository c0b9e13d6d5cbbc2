namespace Microsoft.ML.Lacos.Tokenization;

public sealed partial class BloomTokenizer
{
    // A piece that is cut is cut behind this many of the longest tokens more than are wanted, see EncodeLongPiece.
    private const int CutMarginTokens = 64;

    /// <summary>Ids of a text.</summary>
    /// <param name="text">The text; a surrogate without its partner counts as U+FFFD.</param>
    public IReadOnlyList<int> EncodeToIds(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        Encode(text, int.MaxValue, ids);
        return ids;
    }

    /// <summary>Number of tokens of a text; linear time, also for very long texts.</summary>
    /// <param name="text">The text.</param>
    public int CountTokens(ReadOnlySpan<char> text)
    {
        var sink = new IdSink(null, int.MaxValue);
        EncodeText(text, ref sink);
        return sink.Count;
    }

    /// <summary>Appends the ids of a text up to a limit. What lies behind the limit is not tokenised.</summary>
    /// <param name="text">The text; a surrogate without its partner counts as U+FFFD.</param>
    /// <param name="maximumTokenCount">Most ids to append, 0 or more; <see cref="int.MaxValue"/> for all.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <returns>The number of tokens of the text where that is at most <paramref name="maximumTokenCount"/>; else <paramref name="maximumTokenCount"/> + 1, which says
    /// that the text has more (how many more, <see cref="CountTokens"/> tells).</returns>
    /// <remarks>
    /// The ids are the first of those without a limit. One case rests on a margin: a single piece (a stretch that offers no place to split, such as a text without a space) of more than
    /// (limit + 64) times the longest token is cut there before merging. In theory a merge order can carry the influence of the cut back over any number of tokens; it would have to cross
    /// at least 64 of the longest tokens. Merges of trained vocabularies settle within a few tokens.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative.</exception>
    public int Encode(ReadOnlySpan<char> text, int maximumTokenCount, List<int> ids)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maximumTokenCount);
        ArgumentNullException.ThrowIfNull(ids);
        var sink = new IdSink(ids, maximumTokenCount);
        EncodeText(text, ref sink);
        return sink.Count;
    }

    private void EncodeText(ReadOnlySpan<char> text, ref IdSink sink)
    {
        var reader = new AddedTokenReader(_addedInRawText, UnpairedSurrogates.Replace(text));
        while (!sink.IsOver && reader.Read(out ReadOnlySpan<char> stretch, out _, out _, out int id))
        {
            if (id >= 0)
            {
                sink.Add(id);
                continue;
            }
            var normalizedReader = new AddedTokenReader(_addedInNormalizedText, _normalizesToFormC ? CanonicalComposition.Normalize(stretch) : stretch);
            while (!sink.IsOver && normalizedReader.Read(out ReadOnlySpan<char> plain, out _, out _, out id))
            {
                if (id >= 0)
                {
                    sink.Add(id);
                }
                else
                {
                    EncodeStretch(plain, ref sink);
                }
            }
        }
    }

    private void EncodeStretch(ReadOnlySpan<char> stretch, ref IdSink sink)
    {
        if (_prefixSpace == PrefixSpace.Stretch && stretch[0] != ' ')
        {
            stretch = WithSpace(stretch);
        }
        while (!stretch.IsEmpty && !sink.IsOver)
        {
            int length = _splitter.NextLength(stretch);
            ReadOnlySpan<char> piece = stretch[..length];
            stretch = stretch[length..];
            EncodePiece(_prefixSpace == PrefixSpace.Piece && piece[0] != ' ' ? WithSpace(piece) : piece, ref sink);
        }
    }

    private void EncodePiece(ReadOnlySpan<char> piece, ref IdSink sink)
    {
        if (piece.Length > PieceCache.LongestPiece)
        {
            EncodeLongPiece(piece, ref sink);
            return;
        }
        uint place = PieceCache.PlaceOf(piece);
        int[]? ids = _cache.Find(piece, place);
        if (ids is null)
        {
            ids = _pieces.Encode(piece);
            _cache.Keep(piece, place, ids);
        }
        sink.Add(ids);
    }

    // A token covers at most LongestToken bytes, so at most that many characters: a window of `wanted` times that holds `wanted` tokens unless bytes are left out, in which case it grows.
    private void EncodeLongPiece(ReadOnlySpan<char> piece, ref IdSink sink)
    {
        long wanted = (long)sink.Remaining + 1 + CutMarginTokens;
        for (long window = Math.Max(1, wanted * _decoder.Value.LongestToken); window < piece.Length; window *= 4)
        {
            int cut = char.IsHighSurrogate(piece[(int)window - 1]) ? (int)window - 1 : (int)window;
            int[] ids = _pieces.Encode(piece[..cut]);
            if (ids.Length > sink.Remaining)
            {
                sink.Add(ids);
                return;
            }
        }
        sink.Add(_pieces.Encode(piece));
    }

    private static ReadOnlySpan<char> WithSpace(ReadOnlySpan<char> text)
    {
        var copy = new char[text.Length + 1];
        copy[0] = ' ';
        text.CopyTo(copy.AsSpan(1));
        return copy;
    }

    /// <summary>Takes ids up to a limit and notices when there are more.</summary>
    private ref struct IdSink(List<int>? ids, int limit)
    {
        /// <summary>Ids offered, at most one more than the limit.</summary>
        public int Count { get; private set; }

        public readonly int Remaining => Math.Max(0, limit - Count);

        public readonly bool IsOver => Count > limit;

        public void Add(int id)
        {
            if (Count < limit)
            {
                ids?.Add(id);
            }
            Count = Math.Min(Count, limit) + 1;
        }

        public void Add(ReadOnlySpan<int> added)
        {
            int taken = Math.Min(added.Length, Remaining);
            if (ids is not null)
            {
                CollectionExtensions.AddRange(ids, added[..taken]);
            }
            Count += taken < added.Length ? taken + 1 : taken;
        }
    }
}
