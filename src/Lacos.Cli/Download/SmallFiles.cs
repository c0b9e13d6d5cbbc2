using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Content of the files that are looked into before anything is written: from the folder where it is there, else from the server.</summary>
internal sealed class SmallFiles(HubClient client, Retry retry, string commit, DownloadFolder folder, CancellationToken cancellationToken)
{
    private readonly Dictionary<string, byte[]> _fetched = new(StringComparer.Ordinal);

    /// <summary>What came from the server, by path.</summary>
    public IReadOnlyDictionary<string, byte[]> Fetched => _fetched;

    /// <summary>Content of a file, checked.</summary>
    public async Task<byte[]> ReadAsync(HubFile file)
    {
        int largest = ModelFiles.Largest(file.Path) ?? 0;
        JsonLimits.RequireLength(file.Size, largest, file.Path);
        LocalFile local = await folder.LookAsync(file, cancellationToken).ConfigureAwait(false);
        string path = local.State == LocalState.UpToDate ? folder.Target(file.Path) : folder.Part(file);
        if (local.State == LocalState.UpToDate || local.Missing == 0)
        {
            byte[] present = File.Exists(path) ? JsonLimits.ReadFile(path, largest) : [];
            if (file.Hash.IsOf(present))
            {
                return present;
            }
        }
        byte[] content = await retry.RunAsync(() => client.ReadAsync(file, commit, cancellationToken), () => 0, cancellationToken).ConfigureAwait(false);
        _fetched[file.Path] = content;
        return content;
    }
}
