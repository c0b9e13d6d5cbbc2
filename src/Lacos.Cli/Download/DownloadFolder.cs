using System.Security.Cryptography;
using System.Text;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>The folder that a model is fetched into. Files are gathered in a folder within it and get their names when all are whole and checked, so that the folder is always of one commit.</summary>
/// <param name="path">The folder; it need not exist.</param>
/// <param name="repository">The model.</param>
/// <param name="force">Whether files that no download of this model has written may be replaced.</param>
internal sealed class DownloadFolder(string path, RepositoryId repository, bool force)
{
    /// <summary>Name of the folder within it.</summary>
    public const string WorkName = ".lacos-download";

    private const string PartEnd = ".part";
    private const string RecordName = "record.json";

    private readonly DownloadRecord? _record = DownloadRecord.Read(System.IO.Path.Combine(path, WorkName, RecordName));

    /// <summary>The folder as it was given.</summary>
    public string Path => path;

    private string Work => System.IO.Path.Combine(path, WorkName);

    /// <summary>Where a file belongs.</summary>
    public string Target(string file) => System.IO.Path.Combine([path, .. file.Split('/')]);

    /// <summary>Where a file is gathered: under a name that goes with its content, so that a part is never continued with another.</summary>
    public string Part(HubFile file) => System.IO.Path.Combine(Work, $"{file.Hash.Hex}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file.Path)))[..16]}{PartEnd}");

    /// <summary>Looks at what is there of a file.</summary>
    /// <exception cref="ToolException">There is something that no file replaces.</exception>
    public async Task<LocalFile> LookAsync(HubFile file, CancellationToken cancellationToken)
    {
        string target = Target(file.Path);
        RefuseLinks(file.Path);
        if (Directory.Exists(target) || FileStatus.SpecialKind(target) is not null)
        {
            throw new ToolException($"'{target}' is no file, and '{file.Path}' belongs there. Move it away, or give --output another folder.");
        }
        var part = new FileInfo(Part(file));
        long arrived = part.Exists && part.Length <= file.Size ? part.Length : 0;
        var present = new FileInfo(target);
        if (!present.Exists)
        {
            return new LocalFile(file, present.LinkTarget is null ? LocalState.Missing : LocalState.InTheWay, arrived);
        }
        if (present.Length == file.Size && await file.Hash.IsOfFileAsync(target, cancellationToken).ConfigureAwait(false))
        {
            return new LocalFile(file, LocalState.UpToDate, arrived);
        }
        return new LocalFile(file, await IsDownloadedAsync(file.Path, cancellationToken).ConfigureAwait(false) ? LocalState.Replaceable : LocalState.InTheWay, arrived);
    }

    /// <summary>Files that downloads have written and that this commit does not have.</summary>
    /// <param name="selection">What this commit has.</param>
    /// <param name="cancellationToken">Ends the hashing.</param>
    /// <exception cref="ToolException">There is another file that would be read with the model.</exception>
    public async Task<IReadOnlyList<string>> OutdatedAsync(FileSelection selection, CancellationToken cancellationToken)
    {
        var wanted = selection.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        var outdated = new List<string>();
        foreach (string file in (_record?.Files ?? []).Select(entry => entry.Path).Distinct(StringComparer.Ordinal).Where(file => !wanted.Contains(file) && File.Exists(Target(file))))
        {
            RefuseLinks(file);
            if (await IsDownloadedAsync(file, cancellationToken).ConfigureAwait(false))
            {
                outdated.Add(file);
            }
        }
        string? stranger = selection.Folders
            .SelectMany(folder => ModelFiles.ThatDecide.Select(name => folder.Length == 0 ? name : $"{folder}/{name}"))
            .FirstOrDefault(file => File.Exists(Target(file)) && !wanted.Contains(file) && !outdated.Contains(file, StringComparer.Ordinal));
        return stranger is null
            ? outdated
            : throw new ToolException($"'{Target(stranger)}' would be read with the model and is no part of {repository}. Move it away, or give --output another folder.");
    }

    /// <summary>Keeps other downloads out until disposed; makes the folder.</summary>
    /// <exception cref="ToolException">Another one is at work there, or the folder cannot be made.</exception>
    public IDisposable Lock()
    {
        try
        {
            Directory.CreateDirectory(Work);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The folder '{path}' cannot be written to: {error.Message}", error);
        }
        try
        {
            return new FileStream(System.IO.Path.Combine(Work, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new ToolException($"Another download into '{path}' is at work, or its lock cannot be taken: {error.Message} Wait for it, or give --output another folder.", error);
        }
    }

    /// <summary>Gives all files their names and removes what this commit does not have.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="files">All of its files; those that were not up to date lie whole where they were gathered.</param>
    /// <param name="outdated">Files to remove.</param>
    public void Complete(string commit, IReadOnlyList<LocalFile> files, IReadOnlyList<string> outdated)
    {
        var record = new DownloadRecord(repository.Name, repository.Revision, commit, [.. files.Select(file => (file.File.Path, file.File.Hash))]);
        string recordPath = System.IO.Path.Combine(Work, RecordName);

        // Both contents count as downloaded while one takes the other's place.
        (record with { Files = [.. record.Files, .. _record?.Files ?? []] }).Write(recordPath);
        foreach (LocalFile file in files.Where(file => file.State != LocalState.UpToDate))
        {
            string target = Target(file.File.Path);
            RefuseLinks(file.File.Path);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            AtomicFile.Replace(Part(file.File), target);
        }
        foreach (string file in outdated)
        {
            File.Delete(Target(file));
        }
        record.Write(recordPath);
        foreach (string part in Directory.EnumerateFiles(Work, "*" + PartEnd).ToArray())
        {
            File.Delete(part);
        }
    }

    // Its content is one that a download of this model has given it; of another model, where the user has said so.
    private async Task<bool> IsDownloadedAsync(string file, CancellationToken cancellationToken)
    {
        if (_record is null || (_record.Model != repository.Name && !force) || new FileInfo(Target(file)).LinkTarget is not null)
        {
            return false;
        }
        foreach ((string _, ContentHash hash) in _record.Files.Where(entry => entry.Path == file))
        {
            if (await hash.IsOfFileAsync(Target(file), cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }
        return false;
    }

    // A link in the way would lead a file out of the folder.
    private void RefuseLinks(string file)
    {
        string[] names = file.Split('/');
        for (int i = 0; i < names.Length; i++)
        {
            string folder = i == 0 ? Work : Target(string.Join('/', names[..i]));
            if (new DirectoryInfo(folder).LinkTarget is not null)
            {
                throw new ToolException($"'{folder}' is a link, and files behind it would lie outside '{path}'. Replace it by a folder, or give --output another one.");
            }
        }
    }
}
