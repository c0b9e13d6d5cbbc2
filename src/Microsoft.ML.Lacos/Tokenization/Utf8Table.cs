using System.Numerics;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Numbers UTF-8 texts in the order in which they are added; each text once.</summary>
/// <remarks>
/// All texts lie in one array, without an object for each: a vocabulary of 250,000 tokens is built in hundredths of a second. Open addressing, at most half full.
/// The hash is seeded in every process, so that a file cannot be made whose texts collide.
/// </remarks>
internal sealed class Utf8Table
{
    private byte[] _bytes;
    private int[] _ends;
    private int[] _hashes;
    private int[] _slots;

    /// <param name="expectedCount">How many texts are expected; more are possible.</param>
    public Utf8Table(int expectedCount)
    {
        int room = Math.Max(16, expectedCount);
        _bytes = new byte[8 * room];
        _ends = new int[room];
        _hashes = new int[room];
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)(2 * room))];
    }

    /// <summary>Number of texts.</summary>
    public int Count { get; private set; }

    /// <summary>The text of a number.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            int start = index == 0 ? 0 : _ends[index - 1];
            return new ReadOnlySpan<byte>(_bytes, start, _ends[index] - start);
        }
    }

    /// <summary>The number of a text, or -1 where it is not held.</summary>
    public int Find(ReadOnlySpan<byte> text) => _slots[SlotOf(text, Hash(text))] - 1;

    /// <summary>Adds a text under the number <see cref="Count"/>.</summary>
    /// <returns>False where it is held already.</returns>
    public bool TryAdd(ReadOnlySpan<byte> text)
    {
        int hash = Hash(text);
        int slot = SlotOf(text, hash);
        if (_slots[slot] != 0)
        {
            return false;
        }
        int start = Count == 0 ? 0 : _ends[Count - 1];
        if (_bytes.Length - start < text.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)start + text.Length, 2L * _bytes.Length)));
        }
        text.CopyTo(_bytes.AsSpan(start));
        if (Count == _ends.Length)
        {
            Array.Resize(ref _ends, 2 * Count);
            Array.Resize(ref _hashes, 2 * Count);
        }
        _ends[Count] = start + text.Length;
        _hashes[Count] = hash;
        _slots[slot] = ++Count;
        if (2 * Count > _slots.Length)
        {
            Spread();
        }
        return true;
    }

    private static int Hash(ReadOnlySpan<byte> text)
    {
        var hash = default(HashCode);
        hash.AddBytes(text);
        return hash.ToHashCode();
    }

    private int SlotOf(ReadOnlySpan<byte> text, int hash)
    {
        int mask = _slots.Length - 1;
        int slot = hash & mask;
        while (_slots[slot] != 0 && !(_hashes[_slots[slot] - 1] == hash && text.SequenceEqual(this[_slots[slot] - 1])))
        {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void Spread()
    {
        _slots = new int[2 * _slots.Length];
        int mask = _slots.Length - 1;
        for (int index = 0; index < Count; index++)
        {
            int slot = _hashes[index] & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            _slots[slot] = index + 1;
        }
    }
}
