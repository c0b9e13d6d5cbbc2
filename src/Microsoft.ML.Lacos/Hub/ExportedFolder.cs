using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>A folder that appears under its name only when it is complete, and replaces nothing but an earlier one of its kind.</summary>
internal static class ExportedFolder
{
    /// <summary>Key below <c>__version__</c> of <see cref="SentenceTransformersWriter.SettingsName"/> that marks a folder as written here.</summary>
    public const string Mark = "lacos";

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
            write(temporary);
            Exchange(temporary, target);
        }
        catch
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
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
