using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>A 64-bit little-endian ELF shared library in memory. Every read is bounds-checked: a damaged file is an <see cref="InvalidDataException"/>.</summary>
/// <remarks>Layout: System V ABI, "Object Files"; symbol versions: Linux Standard Base Core, "Symbol Versioning".</remarks>
internal sealed class ElfImage
{
    private const int ProgramHeaderSize = 56;
    private const uint SegmentLoad = 1;
    private const uint SegmentDynamic = 2;

    private readonly byte[] _bytes;
    private readonly List<(ulong Address, ulong Offset, ulong Size)> _segments = [];
    private readonly Dictionary<ulong, ulong> _dynamic = [];

    public ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
        {
            throw new InvalidDataException($"Not a 64-bit little-endian ELF file ({bytes.Length} bytes).");
        }
        ReadSegments();
    }

    /// <summary>The file's bytes; writes change the image.</summary>
    public Span<byte> Bytes => _bytes;

    /// <summary>Value of an entry of the dynamic section, for example an address; null where the library has none.</summary>
    public ulong? Dynamic(ulong tag) => _dynamic.TryGetValue(tag, out ulong value) ? value : null;

    /// <summary>Offset in the file of <paramref name="count"/> bytes that are mapped at <paramref name="address"/>.</summary>
    public int Offset(ulong address, ulong count)
    {
        foreach ((ulong start, ulong offset, ulong size) in _segments)
        {
            if (address >= start && address - start <= size && count <= size - (address - start))
            {
                return checked((int)(offset + (address - start)));
            }
        }
        throw new InvalidDataException($"No segment of the ELF file holds {count} bytes at address 0x{address:x}.");
    }

    public ushort ReadUInt16(ulong address) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(Offset(address, 2)));

    public uint ReadUInt32(ulong address) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(Offset(address, 4)));

    public ulong ReadUInt64(ulong address) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(Offset(address, 8)));

    /// <summary>Name at <paramref name="index"/> of the dynamic string table.</summary>
    public string ReadName(uint index)
    {
        ulong table = Required(ElfTag.StringTable);
        ulong size = Required(ElfTag.StringTableSize);
        ReadOnlySpan<byte> names = _bytes.AsSpan(Offset(table, size), checked((int)size));
        int length = index < size ? names[(int)index..].IndexOf((byte)0) : -1;
        return length >= 0
            ? Encoding.UTF8.GetString(names.Slice((int)index, length))
            : throw new InvalidDataException($"Name {index} lies outside the ELF file's string table of {size} bytes.");
    }

    public ulong Required(ulong tag) => Dynamic(tag) ?? throw new InvalidDataException($"The ELF file has no dynamic entry 0x{tag:x}.");

    private void ReadSegments()
    {
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(32));
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(54));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(56));
        ulong length = (ulong)_bytes.Length;
        if (entrySize < ProgramHeaderSize || table > length || (ulong)count * (ulong)entrySize > length - table)
        {
            throw new InvalidDataException($"The ELF file's {count} program headers of {entrySize} bytes at {table} do not fit its {length} bytes.");
        }
        (ulong Offset, ulong Size)? dynamic = null;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = _bytes.AsSpan((int)table + (i * entrySize), ProgramHeaderSize);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (type is not (SegmentLoad or SegmentDynamic))
            {
                continue;
            }
            if (offset > length || size > length - offset)
            {
                throw new InvalidDataException($"Segment {i} of the ELF file ({size} bytes at {offset}) does not fit its {length} bytes.");
            }
            if (type == SegmentLoad)
            {
                _segments.Add((address, offset, size));
            }
            else
            {
                dynamic = (offset, size);
            }
        }
        ReadDynamic(dynamic ?? throw new InvalidDataException("The ELF file has no dynamic section."));
    }

    private void ReadDynamic((ulong Offset, ulong Size) section)
    {
        ReadOnlySpan<byte> entries = _bytes.AsSpan((int)section.Offset, (int)section.Size);
        for (; entries.Length >= 16; entries = entries[16..])
        {
            ulong tag = BinaryPrimitives.ReadUInt64LittleEndian(entries);
            if (tag == 0)
            {
                return;
            }
            _dynamic.TryAdd(tag, BinaryPrimitives.ReadUInt64LittleEndian(entries[8..]));
        }
    }
}

/// <summary>Tags of the dynamic section.</summary>
internal static class ElfTag
{
    public const ulong PltRelocationsSize = 2;
    public const ulong StringTable = 5;
    public const ulong Relocations = 7;
    public const ulong RelocationsSize = 8;
    public const ulong StringTableSize = 10;
    public const ulong PltRelocations = 23;
    public const ulong SymbolVersions = 0x6ffffff0;
    public const ulong VersionDefinitions = 0x6ffffffc;
    public const ulong VersionDefinitionCount = 0x6ffffffd;
    public const ulong VersionNeeds = 0x6ffffffe;
    public const ulong VersionNeedCount = 0x6fffffff;
}
