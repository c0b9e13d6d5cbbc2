using System.Buffers;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Byte-pair encoding of one piece.</summary>
/// <remarks>
/// Of a few symbols the best pair is searched for after every merge. Where that would be slow it is O(n log n): symbols are a linked list, candidate pairs a heap ordered by rank, then by
/// position; a candidate that no longer stands when it is taken out is dropped.
/// Ids are those of Hugging Face's <c>Word::merge_all</c>, which orders in the same way. Bytes without a symbol in the vocabulary are left out before merging.
/// </remarks>
internal sealed class PieceMerger
{
    private const int None = -1;

    // From about this number of symbols on the heap is faster.
    private const int FewSymbols = 64;

    private readonly int[] _byteIds;
    private readonly MergeTable _merges;

    /// <param name="byteIds">Id of each byte's symbol, negative where there is none.</param>
    /// <param name="merges">The merges.</param>
    public PieceMerger(int[] byteIds, MergeTable merges)
    {
        _byteIds = byteIds;
        _merges = merges;
    }

    /// <summary>Ids of a piece.</summary>
    public int[] Encode(ReadOnlySpan<char> piece)
    {
        if (piece.Length <= FewSymbols && Encoding.UTF8.GetByteCount(piece) <= FewSymbols)
        {
            Span<int> few = stackalloc int[FewSymbols];
            return MergeFew(few[..Symbols(piece, few)]);
        }
        int[] ids = ArrayPool<int>.Shared.Rent(Encoding.UTF8.GetByteCount(piece));
        int count = Symbols(piece, ids);
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

    private int Symbols(ReadOnlySpan<char> piece, Span<int> ids)
    {
        Span<byte> utf8 = stackalloc byte[1024];
        int count = 0;
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
        return count;
    }

    private int[] MergeFew(Span<int> ids)
    {
        Span<int> ranks = stackalloc int[FewSymbols];
        Span<int> products = stackalloc int[FewSymbols];
        for (int at = 0; at < ids.Length; at++)
        {
            Look(ids, at, ranks, products);
        }
        while (true)
        {
            int best = 0;
            for (int at = 1; at < ids.Length; at++)
            {
                best = ranks[at] < ranks[best] ? at : best;
            }
            if (ids.IsEmpty || ranks[best] == int.MaxValue)
            {
                return ids.ToArray();
            }
            ids[best] = products[best];
            ids[(best + 2)..].CopyTo(ids[(best + 1)..]);
            ranks[(best + 2)..].CopyTo(ranks[(best + 1)..]);
            products[(best + 2)..].CopyTo(products[(best + 1)..]);
            ids = ids[..^1];
            Look(ids, best, ranks, products);
            if (best > 0)
            {
                Look(ids, best - 1, ranks, products);
            }
        }
    }

    // The merge of a symbol with the next one.
    private void Look(ReadOnlySpan<int> ids, int at, Span<int> ranks, Span<int> products)
    {
        if (at + 1 == ids.Length || !_merges.TryGet(ids[at], ids[at + 1], out ranks[at], out products[at]))
        {
            ranks[at] = int.MaxValue;
        }
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
