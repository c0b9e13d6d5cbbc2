namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Remembers the ids of pieces seen. Bounded, without locks, shared by all threads.</summary>
/// <remarks>
/// A table of immutable entries, one place for each hash: a newer piece displaces an older one of the same place. Text chosen to collide costs lookups, never correctness.
/// At most <see cref="Places"/> entries of about 150 bytes are held.
/// </remarks>
internal sealed class PieceCache
{
    /// <summary>Longest piece kept, in UTF-16 units.</summary>
    public const int LongestPiece = 48;

    private const int PlaceBits = 15;
    private const int Places = 1 << PlaceBits;
    private readonly Entry?[] _entries = new Entry?[Places];

    /// <summary>The ids of a piece, or <see langword="null"/> when it is not held.</summary>
    public int[]? Find(ReadOnlySpan<char> piece, uint place) =>
        Volatile.Read(ref _entries[place]) is { } entry && piece.SequenceEqual(entry.Piece) ? entry.Ids : null;

    /// <summary>Keeps the ids of a piece; the array must not change afterwards.</summary>
    public void Keep(ReadOnlySpan<char> piece, uint place, int[] ids) => Volatile.Write(ref _entries[place], new Entry(piece.ToString(), ids));

    /// <summary>The place of a piece.</summary>
    public static uint PlaceOf(ReadOnlySpan<char> piece)
    {
        ulong hash = (ulong)piece.Length;
        foreach (char character in piece)
        {
            hash = (hash ^ character) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }
        return (uint)((hash * 0xD6E8FEB86659FD93) >> (64 - PlaceBits));
    }

    private sealed record Entry(string Piece, int[] Ids);
}
