using System.Globalization;
using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>One download from its first question to the finished folder.</summary>
internal sealed class ModelDownload(ToolStreams streams, DownloadSettings settings, RepositoryId repository, DownloadFolder folder)
{
    private readonly Retry _retry = new(settings, streams);

    /// <summary>What the server says of the revision; set by <see cref="PrepareAsync"/>.</summary>
    public HubListing Listing { get; private set; } = null!;

    /// <summary>The files, beside what is there of them; set by <see cref="PrepareAsync"/>.</summary>
    public IReadOnlyList<LocalFile> Files { get; private set; } = [];

    private FileSelection _selection = null!;
    private SmallFiles _small = null!;

    /// <summary>Asks what there is, checks that it can be loaded, and looks at the folder; writes nothing.</summary>
    /// <param name="client">Asks the server.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public async Task PrepareAsync(HubClient client, CancellationToken cancellationToken)
    {
        byte[] json = await _retry.RunAsync(() => client.ListAsync(cancellationToken), () => 0, cancellationToken).ConfigureAwait(false);
        Listing = HubListing.Parse(json, repository);
        _small = new SmallFiles(client, _retry, Listing.Commit, folder, cancellationToken);
        _selection = await FileSelection.ChooseAsync(Listing, _small.ReadAsync).ConfigureAwait(false);
        foreach (string remark in _selection.Remarks)
        {
            streams.Warn(remark);
        }
        var files = new List<LocalFile>();
        foreach (HubFile file in _selection.Files)
        {
            files.Add(await folder.LookAsync(file, cancellationToken).ConfigureAwait(false));
        }
        Files = files;
    }

    /// <summary>Fetches what is missing and gives the files their names.</summary>
    /// <param name="client">Asks the server.</param>
    /// <param name="force">Whether files that no download has written may be replaced.</param>
    /// <param name="cancellationToken">Ends the work; what has arrived stays and is continued by the next download.</param>
    public async Task FetchAsync(HubClient client, bool force, CancellationToken cancellationToken)
    {
        if (!force && Files.FirstOrDefault(file => file.State == LocalState.InTheWay) is { } other)
        {
            throw new ToolException($"'{folder.Target(other.File.Path)}' is another file than that of {repository}, and no download of it has written it. Move it away, give --output another folder, or replace it with --force.");
        }
        IReadOnlyList<string> outdated = await folder.OutdatedAsync(_selection, cancellationToken).ConfigureAwait(false);
        RequireSpace(Files.Sum(file => file.Missing));
        using IDisposable held = folder.Lock();
        long total = Files.Sum(file => file.File.Size);
        var fetcher = new FileFetcher(client, _retry, Listing.Commit);
        await ProgressDisplay.RunAsync(streams, "Downloading", "MB", total, async progress =>
        {
            long before = 0;
            foreach (LocalFile file in Files)
            {
                await FetchAsync(file, fetcher, position => progress.Report((before + position) / 1_000_000, before + position), cancellationToken).ConfigureAwait(false);
                before += file.File.Size;
                progress.Report(before / 1_000_000, before);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        folder.Complete(Listing.Commit, Files, outdated);
        foreach (string file in outdated)
        {
            streams.Note($"removed {file}, which this commit does not have");
        }
        streams.Note(string.Create(CultureInfo.InvariantCulture, $"{Files.Count} files, {ModelSummary.Size(total)}, of {repository.Name} at commit {Listing.Commit}"));
    }

    private async Task FetchAsync(LocalFile file, FileFetcher fetcher, Action<long> report, CancellationToken cancellationToken)
    {
        if (file.State == LocalState.UpToDate)
        {
            Tell($"up to date   {file.File.Path}");
            return;
        }
        if (_small.Fetched.TryGetValue(file.File.Path, out byte[]? content))
        {
            await File.WriteAllBytesAsync(folder.Part(file.File), content, cancellationToken).ConfigureAwait(false);
        }
        await fetcher.FetchAsync(file.File, folder.Part(file.File), report, cancellationToken).ConfigureAwait(false);
        Tell($"fetched      {file.File.Path}, {DownloadReport.Size(file.File.Size)}");
    }

    // On a terminal the bar tells.
    private void Tell(string line)
    {
        if (!streams.ErrorIsTerminal)
        {
            streams.Note(line);
        }
    }

    private void RequireSpace(long needed)
    {
        string existing = Path.GetFullPath(folder.Path);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is string parent)
        {
            existing = parent;
        }
        if (settings.FreeSpace(existing) is long free && free < needed)
        {
            throw new ToolException($"{ModelSummary.Size(needed)} are to be fetched, and the disk of '{folder.Path}' has {ModelSummary.Size(free)} free. Make room, or give --output a folder on another disk.");
        }
    }
}
