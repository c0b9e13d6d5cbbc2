using System.Buffers;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Byte-pair encoding of one piece in O(n log n): for pieces so long that a search for the best pair after every merge would be quadratic.</summary>
/// <remarks>
/// Symbols are a linked list, candidate pairs a heap ordered by rank, then by position; a candidate that no longer stands when it is taken out is dropped.
/// Ids are those of Hugging Face's <c>Word::merge_all</c>, which orders in the same way. Bytes without a symbol in the vocabulary are left out before merging.
/// </remarks>
internal sealed class LongPieceMerger
{
    private const int None = -1;
    private readonly int[] _byteIds;
    private readonly MergeTable _merges;

    /// <param name="byteIds">Id of each byte's symbol, negative where there is none.</param>
    /// <param name="merges">The merges.</param>
    public LongPieceMerger(int[] byteIds, MergeTable merges)
    {
        _byteIds = byteIds;
        _merges = merges;
    }

    /// <summary>Ids of a piece.</summary>
    public int[] Encode(ReadOnlySpan<char> piece)
    {
        int[] ids = Symbols(piece, out int count);
        int[] next = ArrayPool<int>.Shared.Rent(count);
        int[] previous = ArrayPool<int>.Shared.Rent(count);
        try
        {
            Merge(ids.AsSpan(0, count), next, previous);
            return Collect(ids.AsSpan(0, count), next);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(previous);
            ArrayPool<int>.Shared.Return(next);
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    private int[] Symbols(ReadOnlySpan<char> piece, out int count)
    {
        int[] ids = ArrayPool<int>.Shared.Rent(Encoding.UTF8.GetByteCount(piece));
        Span<byte> utf8 = stackalloc byte[1024];
        count = 0;
        while (!piece.IsEmpty)
        {
            System.Text.Unicode.Utf8.FromUtf16(piece, utf8, out int read, out int written);
            piece = piece[read..];
            foreach (byte value in utf8[..written])
            {
                if (_byteIds[value] >= 0)
                {
                    ids[count++] = _byteIds[value];
                }
            }
        }
        return ids;
    }

    private void Merge(Span<int> ids, int[] next, int[] previous)
    {
        var candidates = new MinimumHeap(ids.Length);
        for (int at = 0; at < ids.Length; at++)
        {
            previous[at] = at - 1;
            next[at] = at + 1 < ids.Length ? at + 1 : None;
            if (at + 1 < ids.Length && _merges.TryGet(ids[at], ids[at + 1], out int rank, out _))
            {
                candidates.AddUnordered(Candidate(rank, at));
            }
        }
        candidates.Order();
        while (candidates.TryTake(out ulong candidate))
        {
            int at = (int)(uint)candidate;
            int right = next[at];
            if (ids[at] == None || right == None || !_merges.TryGet(ids[at], ids[right], out int rank, out int product) || rank != (int)(candidate >> 32))
            {
                continue;
            }
            ids[at] = product;
            ids[right] = None;
            int after = next[at] = next[right];
            if (after != None)
            {
                previous[after] = at;
                if (_merges.TryGet(product, ids[after], out rank, out _))
                {
                    candidates.Add(Candidate(rank, at));
                }
            }
            int before = previous[at];
            if (before != None && _merges.TryGet(ids[before], product, out rank, out _))
            {
                candidates.Add(Candidate(rank, before));
            }
        }
    }

    private static int[] Collect(ReadOnlySpan<int> ids, int[] next)
    {
        int count = 0;
        for (int at = 0; at < ids.Length && at != None; at = next[at])
        {
            count++;
        }
        var result = new int[count];
        count = 0;
        for (int at = 0; at < ids.Length && at != None; at = next[at])
        {
            result[count++] = ids[at];
        }
        return result;
    }

    private static ulong Candidate(int rank, int position) => (ulong)(uint)rank << 32 | (uint)position;
}
