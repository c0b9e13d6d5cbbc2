using System.Security.Cryptography;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>Reads the files of a checkpoint, which may have become anything since they were written: a folder, a pipe that nobody writes into, a link to a device without an end.</summary>
internal static class CheckpointFiles
{
    /// <summary>Whether something is there, even a link that leads nowhere.</summary>
    public static bool Exists(string folder, string name) => Path.Exists(Path.Combine(folder, name)) || new FileInfo(Path.Combine(folder, name)).LinkTarget is not null;

    /// <summary>Content of a small file.</summary>
    /// <exception cref="InvalidDataException">It is missing, no file, or larger than such a file can be.</exception>
    public static byte[] Read(string folder, string name) => JsonLimits.ReadFile(Checked(folder, name), JsonLimits.LargestConfig);

    /// <summary>sha256 of a file, in lower-case hexadecimal digits.</summary>
    /// <exception cref="InvalidDataException">It is missing, no file, or outside the folder.</exception>
    public static string Hash(string folder, string name)
    {
        using FileStream stream = File.OpenRead(Checked(folder, name));
        return Convert.ToHexString(SHA256.HashData(stream)).ToLowerInvariant();
    }

    private static string Checked(string folder, string name)
    {
        string path = name.Contains('\0', StringComparison.Ordinal) ? folder : Path.GetFullPath(Path.Combine(folder, name));
        if (!path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"'{TextInMessage.Of(name)}' is no name of a file in its folder.");
        }
        if (Directory.Exists(path))
        {
            throw new InvalidDataException($"'{TextInMessage.Of(name)}' is a folder, where a file belongs.");
        }
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"'{TextInMessage.Of(name)}' is missing.");
        }
        return FileStatus.SpecialKind(path) is { } kind ? throw new InvalidDataException($"'{TextInMessage.Of(name)}' is {kind}, where a file belongs.") : path;
    }
}
