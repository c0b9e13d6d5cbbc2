using System.Buffers.Binary;

namespace Lacos.Cli.Input.Arrow;

/// <summary>A table of a FlatBuffer, as Arrow's metadata are; whatever an offset or a length says, nothing outside the bytes is read.</summary>
internal readonly ref struct FlatTable
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _position;
    private readonly int _slots;
    private readonly int _slotsLength;

    private FlatTable(ReadOnlySpan<byte> bytes, int position)
    {
        _bytes = bytes;
        _position = position;
        long slots = position - (long)Integer32(bytes, position);
        _slotsLength = slots is >= 0 and <= int.MaxValue ? Integer16(bytes, (int)slots) : throw Damaged();
        _slots = _slotsLength >= 4 && slots + _slotsLength <= bytes.Length ? (int)slots : throw Damaged();
    }

    /// <summary>The table that the bytes begin with.</summary>
    /// <exception cref="InvalidDataException">There is none; the message of this and all other errors is a clause about the file.</exception>
    public static FlatTable Root(ReadOnlySpan<byte> bytes) => new(bytes, Add(0, Integer32(bytes, 0)));

    /// <summary>A field of one byte.</summary>
    /// <param name="field">Its number, from 0.</param>
    /// <returns>0 where it is not there, as for the other numbers.</returns>
    public int Byte(int field) => Place(field) is int place and > 0 ? Slice(_bytes, place, 1)[0] : 0;

    /// <summary>A field of two bytes.</summary>
    public int Short(int field) => Place(field) is int place and > 0 ? Integer16(_bytes, place) : 0;

    /// <summary>A field of eight bytes.</summary>
    public long Long(int field) => Place(field) is int place and > 0 ? Integer64(_bytes, place) : 0;

    /// <summary>A table in this one.</summary>
    /// <returns>Whether it is there.</returns>
    public bool TryTable(int field, out FlatTable table)
    {
        int place = Place(field);
        table = place > 0 ? new FlatTable(_bytes, Follow(place)) : default;
        return place > 0;
    }

    /// <summary>The elements of a vector, or the bytes of a string.</summary>
    /// <param name="field">The field.</param>
    /// <param name="size">Bytes of an element.</param>
    /// <returns>Empty where it is not there.</returns>
    public ReadOnlySpan<byte> Vector(int field, int size)
    {
        int start = Elements(field, size, out int count);
        return count == 0 ? [] : _bytes.Slice(start, count * size);
    }

    /// <summary>How many tables a vector has.</summary>
    public int TableCount(int field)
    {
        Elements(field, 4, out int count);
        return count;
    }

    /// <summary>A table of a vector.</summary>
    public FlatTable TableAt(int field, int index) => new(_bytes, Follow(Elements(field, 4, out _) + (4 * index)));

    /// <summary>An integer of eight bytes in a structure.</summary>
    public static long Integer64(ReadOnlySpan<byte> bytes, int start) => BinaryPrimitives.ReadInt64LittleEndian(Slice(bytes, start, 8));

    private int Elements(int field, int size, out int count)
    {
        count = 0;
        int place = Place(field);
        if (place == 0)
        {
            return 0;
        }
        int vector = Follow(place);
        count = Integer32(_bytes, vector);
        return count >= 0 && (long)count * size <= _bytes.Length - vector - 4 ? vector + 4 : throw Damaged();
    }

    // 0 for a field that is not there.
    private int Place(int field)
    {
        int slot = 4 + (2 * field);
        int offset = slot + 2 <= _slotsLength ? Integer16(_bytes, _slots + slot) : 0;
        return offset == 0 ? 0 : _position + offset;
    }

    private int Follow(int place) => Add(place, Integer32(_bytes, place));

    private static int Add(int place, int offset) => offset > 0 && (long)place + offset <= int.MaxValue ? place + offset : throw Damaged();

    private static int Integer16(ReadOnlySpan<byte> bytes, int start) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(bytes, start, 2));

    private static int Integer32(ReadOnlySpan<byte> bytes, int start) => BinaryPrimitives.ReadInt32LittleEndian(Slice(bytes, start, 4));

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> bytes, int start, int length) => start >= 0 && start <= bytes.Length - length ? bytes.Slice(start, length) : throw Damaged();

    private static InvalidDataException Damaged() => new("its metadata are damaged");
}
