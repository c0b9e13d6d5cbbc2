using System.Buffers.Binary;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>A symbol version that a library asks another library for.</summary>
/// <param name="File">The library asked, for example <c>libstdc++.so.6</c>.</param>
/// <param name="Version">For example <c>GLIBCXX_3.4.32</c>.</param>
/// <param name="Index">Number by which the symbol version table refers to it.</param>
/// <param name="Address">Where its entry (<c>Elf64_Vernaux</c>) is mapped.</param>
internal readonly record struct VersionNeed(string File, string Version, int Index, ulong Address);

/// <summary>The symbol versions that a shared library defines and asks for.</summary>
internal static class SymbolVersions
{
    // VER_FLG_WEAK: the loader goes on where the version is missing.
    private const ushort WeakFlag = 2;
    private const int FlagsOffset = 4;
    private const int RelocationSize = 24;
    private const int IndexMask = 0x7fff;
    private const int MaximumNeeds = 10_000;

    /// <summary>Versions that <paramref name="image"/> defines.</summary>
    public static HashSet<string> Defined(ElfImage image)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (image.Dynamic(ElfTag.VersionDefinitions) is not ulong address)
        {
            return names;
        }
        for (ulong left = image.Required(ElfTag.VersionDefinitionCount); left > 0; left--)
        {
            // Elf64_Verdef: version 2, flags 2, index 2, count 2, hash 4, first name 4, next 4. Elf64_Verdaux: name 4, next 4.
            names.Add(image.ReadName(image.ReadUInt32(address + image.ReadUInt32(address + 12))));
            uint next = image.ReadUInt32(address + 16);
            if (next == 0)
            {
                break;
            }
            address += next;
        }
        return names;
    }

    /// <summary>Versions that <paramref name="image"/> cannot be loaded without.</summary>
    public static IReadOnlyList<VersionNeed> Needed(ElfImage image)
    {
        var needs = new List<VersionNeed>();
        if (image.Dynamic(ElfTag.VersionNeeds) is not ulong address)
        {
            return needs;
        }
        for (ulong left = image.Required(ElfTag.VersionNeedCount); left > 0; left--)
        {
            // Elf64_Verneed: version 2, count 2, file name 4, first entry 4, next 4.
            string file = image.ReadName(image.ReadUInt32(address + 4));
            ulong entry = address + image.ReadUInt32(address + 8);
            for (int entries = image.ReadUInt16(address + 2); entries > 0; entries--)
            {
                // Elf64_Vernaux: hash 4, flags 2, index 2, name 4, next 4.
                if ((image.ReadUInt16(entry + FlagsOffset) & WeakFlag) == 0)
                {
                    needs.Add(new VersionNeed(file, image.ReadName(image.ReadUInt32(entry + 8)), image.ReadUInt16(entry + 6) & IndexMask, entry));
                }
                uint nextEntry = image.ReadUInt32(entry + 12);
                if (nextEntry == 0)
                {
                    break;
                }
                entry += nextEntry;
            }
            if (needs.Count > MaximumNeeds)
            {
                throw new InvalidDataException($"The ELF file asks for more than {MaximumNeeds} symbol versions; it is damaged.");
            }
            uint next = image.ReadUInt32(address + 12);
            if (next == 0)
            {
                break;
            }
            address += next;
        }
        return needs;
    }

    /// <summary>Whether anything in <paramref name="image"/> is bound to a symbol of <paramref name="need"/>, so that it could not run without it.</summary>
    public static bool IsBound(ElfImage image, VersionNeed need) =>
        IsBound(image, need, ElfTag.Relocations, ElfTag.RelocationsSize) || IsBound(image, need, ElfTag.PltRelocations, ElfTag.PltRelocationsSize);

    /// <summary>Makes the loader go on where <paramref name="need"/> is missing.</summary>
    public static void Weaken(ElfImage image, VersionNeed need)
    {
        Span<byte> flags = image.Bytes.Slice(image.Offset(need.Address + FlagsOffset, sizeof(ushort)), sizeof(ushort));
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | WeakFlag));
    }

    private static bool IsBound(ElfImage image, VersionNeed need, ulong tableTag, ulong sizeTag)
    {
        if (image.Dynamic(tableTag) is not ulong table)
        {
            return false;
        }
        ulong size = image.Required(sizeTag);
        ulong versions = image.Required(ElfTag.SymbolVersions);
        ReadOnlySpan<byte> relocations = image.Bytes.Slice(image.Offset(table, size), checked((int)size));
        for (; relocations.Length >= RelocationSize; relocations = relocations[RelocationSize..])
        {
            ulong symbol = BinaryPrimitives.ReadUInt64LittleEndian(relocations[8..]) >> 32;
            if (symbol != 0 && (image.ReadUInt16(versions + (2 * symbol)) & IndexMask) == need.Index)
            {
                return true;
            }
        }
        return false;
    }
}
