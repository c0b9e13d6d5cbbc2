using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>A folder that appears under its name only when it is complete, and replaces nothing but an earlier one of its kind.</summary>
internal static class ExportedFolder
{
    /// <summary>Key below <c>__version__</c> of <see cref="SentenceTransformersWriter.SettingsName"/> that marks a folder as written here.</summary>
    public const string Mark = "lacos";

    // Open and locked in a folder that is being filled: who finds it unlocked may take the folder for what a killed process has left.
    private const string LockName = ".writing";

    /// <summary>Writes a folder beside the target under a temporary name, then renames it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="write">Fills the folder it is given.</param>
    public static void Replace(string path, Action<string> write)
    {
        (string target, string parent) = Names(path);
        if (!Directory.Exists(parent))
        {
            throw new DirectoryNotFoundException($"Cannot write '{path}': the folder it is to stand in does not exist. Create that first.");
        }
        CheckReplaceable(path);
        string temporary = AtomicFile.TemporaryOf(target);
        try
        {
            Directory.CreateDirectory(temporary);
            using (FileStream own = Lock(temporary, FileMode.CreateNew))
            {
                RemoveLeftovers(target, parent, own.Name);
                write(temporary);
            }
            File.Delete(Path.Combine(temporary, LockName));
            Exchange(temporary, target);
        }
        catch (Exception error)
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
            if (FullDisk.IsCause(error))
            {
                throw FullDisk.Error(path, error);
            }
            throw;
        }
    }

    /// <summary>Refuses a path at which there is something that is not to be replaced.</summary>
    /// <exception cref="IOException">There is.</exception>
    public static void CheckReplaceable(string path)
    {
        (string target, _) = Names(path);
        if (File.Exists(target))
        {
            throw new IOException($"'{path}' is a file. Name a folder that does not exist yet.");
        }
        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any())
        {
            return;
        }
        string? foreign = Directory.EnumerateFileSystemEntries(target).Select(entry => Path.GetFileName(entry)).FirstOrDefault(name => !SentenceTransformersWriter.Names.Contains(name));
        if (foreign is not null || !IsMarked(target))
        {
            throw new IOException($"'{path}' holds something else{(foreign is null ? "" : $" ('{foreign}')")} and is not replaced. Name another folder, or empty this one.");
        }
    }

    private static FileStream Lock(string folder, FileMode mode) => new(Path.Combine(folder, LockName), mode, FileAccess.ReadWrite, FileShare.None, 1);

    private static void RemoveLeftovers(string target, string parent, string own)
    {
        string name = Path.GetFileName(target);
        try
        {
            // Where the file system has no locks, a folder that somebody fills would look like one that nobody does: that shows on the own one.
            foreach (string found in Directory.GetDirectories(parent, ".*").Where(path => AtomicFile.IsTemporaryOf(name, path)))
            {
                string mark = Path.Combine(found, LockName);
                if (mark != own && new DirectoryInfo(found).LinkTarget is null && File.Exists(mark) && !Opens(own) && Opens(mark))
                {
                    Directory.Delete(found, recursive: true);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // They stay: a folder that may be written into and not be listed, or whose content may not be removed.
        }
    }

    private static bool Opens(string mark)
    {
        try
        {
            using var stream = new FileStream(mark, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (string Target, string Parent) Names(string path)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

        // A link stays, and the folder it leads to is replaced.
        target = new DirectoryInfo(target).LinkTarget is null ? target : FinalPath.Of(target);
        return (target, Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' is no name for a folder.", nameof(path)));
    }

    private static bool IsMarked(string folder)
    {
        string settings = Path.Combine(folder, SentenceTransformersWriter.SettingsName);
        try
        {
            using JsonDocument json = JsonFile.Open(settings);
            return JsonFile.Optional(json.RootElement, "__version__", settings) is { } versions && JsonFile.Optional(versions, Mark, settings) is not null;
        }
        catch (Exception error) when (error is IOException or InvalidDataException)
        {
            return false;
        }
    }

    private static void Exchange(string temporary, string target)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(temporary, target);
            return;
        }
        string old = temporary + ".old";
        Directory.Move(target, old);
        try
        {
            Directory.Move(temporary, target);
        }
        catch
        {
            Directory.Move(old, target);
            throw;
        }
        Directory.Delete(old, recursive: true);
    }
}
