using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Writes a file that appears under its name only when it is complete.</summary>
internal static class AtomicFile
{
    private const string TemporaryEnd = ".tmp";

    // File systems allow names of 255 bytes; a temporary one takes 38 more than the name in it, and a folder's 4 more when it makes way.
    private const int LongestNameWithin = 210;
    private const int KeptOfLongName = 40;
    private const int MostAttempts = 5;

    // Both keep everybody from opening the file for writing. On Windows a file can be renamed while it is open only where its deletion is shared.
    private static readonly FileShare Share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <summary>Writes beside the target under a temporary name, flushes to the disk, then renames over the file that is there.</summary>
    /// <param name="path">File to write, or a link to it, which stays; its folder must exist.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="IOException">There is a folder, a pipe, a device or a socket; or the file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string target = TargetOf(path);
        if (Directory.Exists(target))
        {
            throw new IOException($"Cannot write '{path}': it is a folder. Give the name of a file.");
        }
        string folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is no file name. Give the name of a file.", nameof(path));
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"Cannot write '{path}': its folder does not exist. Create the folder first.");
        }
        (string temporary, FileStream stream) = OpenTemporary(target);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);

                // Renamed while it is open and locked: nobody can take it for a leftover in between.
                Replace(temporary, target);
            }
        }
        catch (Exception error)
        {
            File.Delete(temporary);
            if (FullDisk.IsCause(error))
            {
                throw FullDisk.Error(path, error);
            }
            throw;
        }
    }

    /// <summary>Gives a finished file its name, replacing what had it.</summary>
    /// <param name="temporary">Path of the finished file, in the folder of the other.</param>
    /// <param name="target">Path that it gets.</param>
    /// <exception cref="IOException">The file that is there cannot be replaced.</exception>
    public static void Replace(string temporary, string target)
    {
        try
        {
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && OperatingSystem.IsWindows() && File.Exists(target))
        {
            throw new IOException(
                $"'{target}' cannot be replaced ({error.Message.TrimEnd('.')}). Windows replaces no file that is read-only, or that a program has open or mapped, as one does that has loaded a model. Close what uses it, or give the output another name.", error);
        }
    }

    /// <summary>Begins a file that is to replace another, and removes what killed processes have left of theirs.</summary>
    /// <param name="target">Full path of the other.</param>
    /// <returns>Path and stream of the new file, which is locked as long as it is open.</returns>
    public static (string Path, FileStream Stream) OpenTemporary(string target)
    {
        for (int attempt = 1; ; attempt++)
        {
            // A name that nobody can guess, and never one that exists: a link laid there would be written through.
            string temporary = TemporaryOf(target);
            FileStream stream;
            try
            {
                stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, Share, 1 << 16);
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                continue;
            }

            // Between its making and its locking another process may take the file for a leftover: then there is another.
            if (File.Exists(temporary) || attempt == MostAttempts)
            {
                Leftovers.Remove(target, temporary);
                return (temporary, stream);
            }
            stream.Dispose();
        }
    }

    /// <summary>A new name beside a target for what is not complete yet.</summary>
    /// <param name="target">Path of the file or folder.</param>
    public static string TemporaryOf(string target) => Path.Combine(Path.GetDirectoryName(target)!, $"{TemporaryStart(Path.GetFileName(target))}{Guid.NewGuid():N}{TemporaryEnd}");

    /// <summary>Removes what writes of a file have left under temporary names when their process was killed.</summary>
    /// <param name="folder">Folder of the file; nobody else may be writing the file there.</param>
    /// <param name="name">Name of the file.</param>
    public static void RemoveLeftovers(string folder, string name)
    {
        foreach (string path in Directory.GetFiles(folder, ".*").Where(path => IsTemporaryOf(name, path)))
        {
            File.Delete(path);
        }
    }

    /// <summary>Whether a path is one that <see cref="TemporaryOf"/> gives for a file of this name in its folder.</summary>
    public static bool IsTemporaryOf(string name, string path)
    {
        string file = Path.GetFileName(path);
        string start = TemporaryStart(name);
        return file.StartsWith(start, StringComparison.Ordinal) && file.EndsWith(TemporaryEnd, StringComparison.Ordinal) && file.Length > start.Length + TemporaryEnd.Length
            && Guid.TryParseExact(file[start.Length..^TemporaryEnd.Length], "N", out _);
    }

    // Of a name without room for more, its beginning and a hash: names that differ have other temporary ones.
    private static string TemporaryStart(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= LongestNameWithin)
        {
            return $".{name}.";
        }
        int kept = char.IsHighSurrogate(name[KeptOfLongName - 1]) ? KeptOfLongName - 1 : KeptOfLongName;
        return $".{name[..kept]}~{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 8))}.";
    }

    /// <summary>The file that a finished one replaces: the path itself, or where a link at its end leads.</summary>
    /// <exception cref="IOException">There is something that a file must not replace.</exception>
    public static string TargetOf(string path)
    {
        if (FileStatus.SpecialKind(path) is { } kind)
        {
            throw new IOException($"Cannot write '{path}': it is {kind}, and the finished file would take its place. Give the name of a file.");
        }
        string full = Path.GetFullPath(path);
        return new FileInfo(full).LinkTarget is null ? full : FinalPath.Of(full);
    }
}
