namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Writes a file that appears under its name only when it is complete.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the target under a temporary name, flushes to the disk, then renames over the file that is there.</summary>
    /// <param name="path">File to write, or a link to it, which stays; its folder must exist.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="IOException">There is a pipe, a device or a socket; or the file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string target = TargetOf(path);
        string folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is no file name. Give the name of a file.", nameof(path));
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"Cannot write '{path}': its folder does not exist. Create the folder first.");
        }
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
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
