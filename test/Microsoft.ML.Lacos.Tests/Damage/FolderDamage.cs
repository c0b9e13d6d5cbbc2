using System.Security.Cryptography;

namespace Microsoft.ML.Lacos.Tests.Damage;

/// <summary>A folder in memory, written out with one of its files damaged.</summary>
internal sealed class FolderDamage
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    /// <summary>Reads a folder.</summary>
    public FolderDamage(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            _files[Path.GetRelativePath(folder, path).Replace('\\', '/')] = File.ReadAllBytes(path);
        }
    }

    /// <summary>The files, by path in the folder.</summary>
    public IReadOnlyDictionary<string, byte[]> Files => _files;

    /// <summary>Writes the folder as it was.</summary>
    public void WriteTo(string folder)
    {
        foreach ((string name, byte[] content) in _files)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    /// <summary>Damages a file that was written.</summary>
    /// <returns>What was done, for messages.</returns>
    public string Spoil(string folder, string name, Random random)
    {
        string path = Path.Combine(folder, name);
        byte[] content = _files[name];
        bool isJson = name.EndsWith(".json", StringComparison.Ordinal), isTensors = name.EndsWith(".safetensors", StringComparison.Ordinal) || name.EndsWith(".lacos", StringComparison.Ordinal);
        int kind = random.Next(10);
        if (kind > 4 && (isJson || isTensors))
        {
            File.WriteAllBytes(path, isJson ? JsonDamage.Apply(content, random) : ByteDamage.ApplyToHeader(content, random));
            return "structure";
        }
        if (kind > 1)
        {
            File.WriteAllBytes(path, ByteDamage.Apply(content, random));
            return "bytes";
        }
        return Replace(path, random);
    }

    /// <summary>What a folder holds: names, kinds, lengths and hashes. Opens nothing but files.</summary>
    public static string Describe(string folder) => string.Join('\n', new DirectoryInfo(folder)
        .EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, ReturnSpecialDirectories = false })
        .OrderBy(entry => entry.FullName, StringComparer.Ordinal)
        .Select(entry => $"{Path.GetRelativePath(folder, entry.FullName)} {entry.Attributes} {entry.LinkTarget} {(entry is FileInfo { LinkTarget: null, Length: > 0 } file ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file.FullName))) : "")}"));

    // What is no file stands where one was.
    private static string Replace(string path, Random random)
    {
        File.Delete(path);
        switch (OperatingSystem.IsLinux() ? random.Next(6) : random.Next(2))
        {
            case 0:
                return "missing";
            case 1:
                Directory.CreateDirectory(path);
                return "a folder";
            case 2:
                SpecialFile.Pipe(path);
                return "a pipe";
            case 3:
                File.CreateSymbolicLink(path, "/dev/zero");
                return "a link to a device";
            case 4:
                File.CreateSymbolicLink(path, path);
                return "a link to itself";
            default:
                File.CreateSymbolicLink(path, "nowhere");
                return "a link to nothing";
        }
    }
}
