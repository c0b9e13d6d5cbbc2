namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>What killed processes have left of a file that they were writing.</summary>
internal static class Leftovers
{
    /// <summary>Removes the temporary files of a target that no process holds open.</summary>
    /// <param name="target">Full path of the file that is being written.</param>
    /// <param name="own">Temporary file that this process holds open and locked.</param>
    /// <remarks>
    /// A process that is still writing holds a lock on its file, which goes with the process however it ends. Where the file system has no locks, which the own file shows, nothing is removed:
    /// a file that somebody writes would look like one that nobody does.
    /// </remarks>
    public static void Remove(string target, string own)
    {
        string name = Path.GetFileName(target);
        string folder = Path.GetDirectoryName(target)!;
        string[] found = [.. Files(folder).Where(path => path != own && AtomicFile.IsTemporaryOf(name, path))];
        if (found.Length == 0 || TryRemove(own, isKept: true))
        {
            return;
        }
        foreach (string path in found)
        {
            TryRemove(path, isKept: false);
        }
    }

    private static string[] Files(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, ".*");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A folder that may be written into and not be listed.
            return [];
        }
    }

    // Whether the file could be opened with a lock. It is deleted under the lock, so that nobody can begin to hold it in between.
    private static bool TryRemove(string path, bool isKept)
    {
        try
        {
            if (new FileInfo(path).LinkTarget is not null)
            {
                return false;
            }
            bool isDeletedOnClose = !isKept && OperatingSystem.IsWindows();
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, isDeletedOnClose ? FileOptions.DeleteOnClose : FileOptions.None);
            if (!isKept && !isDeletedOnClose)
            {
                File.Delete(path);
            }
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
