using System.Numerics;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Which pairs of tokens merge, in which order of precedence, into what.</summary>
/// <remarks>Open addressing over (left id, right id); the load factor stays at or below a half.</remarks>
internal sealed class MergeTable
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;
    private Entry[] _entries;
    private int _shift;

    /// <param name="expectedCount">How many merges are expected; more are possible.</param>
    public MergeTable(int expectedCount) => _entries = Room((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, (2 * expectedCount) + 1)));

    /// <summary>Number of merges.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a merge; one of the same pair replaces the earlier.</summary>
    public void Add(int left, int right, int rank, int product)
    {
        ref Entry entry = ref Find(left, right);
        Count += entry.Key == 0 ? 1 : 0;
        entry = new Entry(Key(left, right), rank, product);
        if (2 * Count > _entries.Length)
        {
            Spread();
        }
    }

    /// <summary>Looks a pair up.</summary>
    public bool TryGet(int left, int right, out int rank, out int product)
    {
        ref Entry entry = ref Find(left, right);
        rank = entry.Rank;
        product = entry.Product;
        return entry.Key != 0;
    }

    /// <summary>All pairs, the first with the highest precedence.</summary>
    public (int Left, int Right)[] InOrder()
    {
        Entry[] merges = Array.FindAll(_entries, static entry => entry.Key != 0);
        Array.Sort(merges, static (a, b) => a.Rank.CompareTo(b.Rank));
        return Array.ConvertAll(merges, static entry => ((int)((entry.Key - 1) >> 32), (int)(uint)(entry.Key - 1)));
    }

    // Never 0, which marks an empty place.
    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) + 1;

    private Entry[] Room(int capacity)
    {
        _shift = 64 - BitOperations.Log2((uint)capacity);
        return new Entry[capacity];
    }

    private ref Entry Find(int left, int right)
    {
        ulong key = Key(left, right);
        Entry[] entries = _entries;
        int place = (int)((key * Multiplier) >> _shift);
        while (entries[place].Key != key && entries[place].Key != 0)
        {
            place = (place + 1) & (entries.Length - 1);
        }
        return ref entries[place];
    }

    private void Spread()
    {
        Entry[] merges = _entries;
        _entries = Room(2 * merges.Length);
        foreach (Entry merge in merges)
        {
            if (merge.Key != 0)
            {
                Find((int)((merge.Key - 1) >> 32), (int)(uint)(merge.Key - 1)) = merge;
            }
        }
    }

    private readonly struct Entry(ulong key, int rank, int product)
    {
        public readonly ulong Key = key;
        public readonly int Rank = rank;
        public readonly int Product = product;
    }
}
