using System.Numerics;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Which pairs of tokens merge, in which order of precedence, into what.</summary>
/// <remarks>Open addressing over (left id, right id); the load factor stays below a half.</remarks>
internal sealed class MergeTable
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;
    private readonly ulong[] _keys;
    private readonly int[] _ranks;
    private readonly int[] _products;
    private readonly int _shift;

    /// <param name="count">How many merges will be added at most.</param>
    public MergeTable(int count)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, (2 * count) + 1));
        _keys = new ulong[capacity];
        _ranks = new int[capacity];
        _products = new int[capacity];
        _shift = 64 - BitOperations.Log2((uint)capacity);
    }

    /// <summary>Adds a merge; one of the same pair replaces the earlier.</summary>
    public void Add(int left, int right, int rank, int product)
    {
        int slot = Find(left, right);
        _keys[slot] = Key(left, right);
        _ranks[slot] = rank;
        _products[slot] = product;
    }

    /// <summary>Looks a pair up.</summary>
    public bool TryGet(int left, int right, out int rank, out int product)
    {
        int slot = Find(left, right);
        rank = _ranks[slot];
        product = _products[slot];
        return _keys[slot] != 0;
    }

    // Never 0, which marks an empty slot.
    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) + 1;

    private int Find(int left, int right)
    {
        ulong key = Key(left, right);
        int slot = (int)((key * Multiplier) >> _shift);
        while (_keys[slot] != key && _keys[slot] != 0)
        {
            slot = (slot + 1) & (_keys.Length - 1);
        }
        return slot;
    }
}
