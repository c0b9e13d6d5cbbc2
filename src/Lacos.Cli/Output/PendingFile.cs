using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>A file that appears under its name only when it is complete; until then it is a temporary file beside it, and is removed when anything goes wrong.</summary>
internal sealed class PendingFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private bool _committed;

    private PendingFile(string path, string temporary, FileStream stream)
    {
        _path = path;
        _temporary = temporary;
        Stream = stream;
    }

    /// <summary>Where to write; seekable.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins a file; a link at its name stays, and what it leads to is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="standard">Option with which the command writes to standard output instead, for a message; <see langword="null"/> for none.</param>
    /// <exception cref="ToolException">The folder is not there or cannot be written to, or there is something that is no file.</exception>
    public static PendingFile Create(string path, string? standard = null)
    {
        string full = Target(path, standard);
        string folder = Path.GetDirectoryName(full) ?? throw new UsageException($"'{path}' is no name for a file.");
        if (!Directory.Exists(folder))
        {
            throw new ToolException($"There is no folder '{folder}' to write '{path}' into. Create it first.");
        }
        if (Directory.Exists(full))
        {
            throw new ToolException($"'{path}' is a folder. Give the name of a file to write.");
        }

        try
        {
            (string temporary, FileStream stream) = AtomicFile.OpenTemporary(full);
            return new PendingFile(full, temporary, stream);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"'{path}' cannot be written: {error.Message}", error);
        }
    }

    /// <summary>Gives the finished file its name, replacing what had it.</summary>
    public void Commit()
    {
        Stream.Flush(flushToDisk: true);

        // Renamed while it is open and locked: nobody can take it for a leftover in between.
        AtomicFile.Replace(_temporary, _path);
        _committed = true;
        Stream.Dispose();
    }

    public void Dispose()
    {
        try
        {
            Stream.Dispose();
        }
        catch (IOException) when (!_committed)
        {
            // What is still in the buffer has no room on a full disk, and is not wanted any more.
        }
        finally
        {
            if (!_committed)
            {
                File.Delete(_temporary);
            }
        }
    }

    private static string Target(string path, string? standard)
    {
        try
        {
            return AtomicFile.TargetOf(path);
        }
        catch (IOException error)
        {
            throw new ToolException(standard is null ? error.Message : $"{error.Message} For a pipe, write to standard output with {standard}.", error);
        }
    }
}
