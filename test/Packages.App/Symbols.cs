using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

/// <summary>What a debugger finds in an assembly.</summary>
internal static class Symbols
{
    /// <summary>Says what is wrong with the symbols inside an assembly: there must be some, and no source may be recorded under a path of the machine that built it.</summary>
    /// <returns><see langword="null"/> if nothing is.</returns>
    public static string? FaultOf(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        DebugDirectoryEntry entry = file.ReadDebugDirectory().FirstOrDefault(each => each.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        if (entry.DataSize == 0)
        {
            return "holds no symbols";
        }
        using MetadataReaderProvider provider = file.ReadEmbeddedPortablePdbDebugDirectoryData(entry);
        MetadataReader symbols = provider.GetMetadataReader();
        string? stray = symbols.Documents.Select(handle => symbols.GetString(symbols.GetDocument(handle).Name)).FirstOrDefault(name => Path.IsPathRooted(name) && !name.StartsWith("/_/", StringComparison.Ordinal));
        return stray is null ? null : $"names the source '{stray}', a path of the machine that built it";
    }
}
