namespace Lacos.Cli.Input.Parquet;

/// <summary>Walks through a structure in Thrift's compact protocol, as Parquet's metadata are, and believes none of the lengths in it.</summary>
/// <remarks>A parser that makes objects takes many bytes for each of these, and a call of itself for each structure in a structure: so both are counted before it sees them.</remarks>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes, int mostValues)
{
    public const int True = 1;
    public const int False = 2;
    public const int Integer32 = 5;
    public const int Integer64 = 6;
    public const int List = 9;
    public const int Structure = 12;

    private const int Deepest = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _values = mostValues;

    /// <summary>Bytes gone through.</summary>
    public int Position { get; private set; }

    /// <summary>Goes to the next field of a structure.</summary>
    /// <param name="field">Number of the field before, 0 at the beginning; output: of this one.</param>
    /// <param name="type">Output: its type.</param>
    /// <returns><see langword="false"/> at the structure's end.</returns>
    /// <exception cref="InvalidDataException">The structure ends too early or is too large.</exception>
    public bool NextField(ref int field, out int type)
    {
        int head = Byte();
        type = head & 15;
        if (head == 0)
        {
            return false;
        }
        Count(1);
        field = head >> 4 != 0 ? field + (head >> 4) : (int)ReadInteger();
        return true;
    }

    /// <summary>Reads an integer of 16 to 64 bits.</summary>
    public long ReadInteger()
    {
        ulong value = ReadVariable();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>Reads the head of a list.</summary>
    /// <returns>Its length.</returns>
    public int ReadList(out int elementType)
    {
        int head = Byte();
        elementType = head & 15;
        return Count(head >> 4 == 15 ? ReadVariable() : (ulong)(head >> 4));
    }

    /// <summary>Goes past a value that has to be of a shape.</summary>
    /// <param name="shape">What it may be.</param>
    /// <param name="type">Its type.</param>
    /// <param name="isElement">Whether it is an element of a list.</param>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public void Require(ThriftShape shape, int type, bool isElement = false)
    {
        if (!shape.Allows(type))
        {
            throw Damaged();
        }
        if (type == Structure)
        {
            int field = 0;
            while (NextField(ref field, out int fieldType))
            {
                if (shape.Field(field) is ThriftShape known)
                {
                    Require(known, fieldType);
                }
                else
                {
                    Skip(fieldType, 1);
                }
            }
        }
        else if (type == List)
        {
            int count = ReadList(out int elementType);
            for (int i = 0; i < count; i++)
            {
                Require(shape.Element, elementType, isElement: true);
            }
        }
        else
        {
            Skip(type, isElement: isElement);
        }
    }

    /// <summary>Goes past a value.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="depth">Structures around it.</param>
    /// <param name="isElement">Whether it is an element of a list, where a truth value takes a byte.</param>
    public void Skip(int type, int depth = 0, bool isElement = false)
    {
        if (depth > Deepest)
        {
            throw Damaged();
        }
        switch (type)
        {
            case True or False:
                Advance(isElement ? 1UL : 0);
                break;
            case 3:
                Advance(1);
                break;
            case 4 or Integer32 or Integer64:
                ReadVariable();
                break;
            case 7:
                Advance(8);
                break;
            case 8:
                Advance(ReadVariable());
                break;
            case List or 10:
                int count = ReadList(out int elementType);
                for (int i = 0; i < count; i++)
                {
                    Skip(elementType, depth + 1, isElement: true);
                }
                break;
            case Structure:
                int field = 0;
                while (NextField(ref field, out int fieldType))
                {
                    Skip(fieldType, depth + 1);
                }
                break;
            default:
                // Parquet's metadata have no maps.
                throw Damaged();
        }
    }

    private ulong ReadVariable()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int part = Byte();
            value |= (ulong)(part & 127) << shift;
            if (part < 128)
            {
                return value;
            }
        }
        throw Damaged();
    }

    private int Byte()
    {
        Advance(1);
        return _bytes[Position - 1];
    }

    private void Advance(ulong count) => Position = count <= (ulong)(_bytes.Length - Position) ? Position + (int)count : throw Damaged();

    // An element takes a byte at least.
    private int Count(ulong count)
    {
        if (count > (ulong)(_bytes.Length - Position) || count > (ulong)_values)
        {
            throw Damaged();
        }
        _values -= (int)count;
        return (int)count;
    }

    private static InvalidDataException Damaged() => new("its metadata are damaged or too large");
}
