using System.Globalization;
using System.Security.Cryptography;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>Fetches a file into its part, from where an earlier attempt ended, and checks the whole.</summary>
internal sealed class FileFetcher(HubClient client, Retry retry, string commit)
{
    private const int BufferLength = 1 << 18;

    /// <summary>Fetches a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="part">Path to gather it at.</param>
    /// <param name="report">Told how many bytes of the file are there.</param>
    /// <param name="cancellationToken">Ends the fetching; what has arrived stays.</param>
    /// <exception cref="ToolException">It cannot be had, or is another than was listed; then nothing stays.</exception>
    public async Task FetchAsync(HubFile file, string part, Action<long> report, CancellationToken cancellationToken)
    {
        bool isContinued = new FileInfo(part) is { Exists: true, Length: > 0 };
        if (await IsFetchedAsync(file, part, report, cancellationToken).ConfigureAwait(false))
        {
            return;
        }
        File.Delete(part);

        // What an earlier run has left may have been damaged since.
        if (!isContinued || !await IsFetchedAsync(file, part, report, cancellationToken).ConfigureAwait(false))
        {
            File.Delete(part);
            throw HubClient.OtherContent(file);
        }
    }

    private Task<bool> IsFetchedAsync(HubFile file, string part, Action<long> report, CancellationToken cancellationToken)
    {
        long received = 0;
        return retry.RunAsync(() => AttemptAsync(file, part, report, count => received += count, cancellationToken), () => received, cancellationToken);
    }

    private async Task<bool> AttemptAsync(HubFile file, string part, Action<long> report, Action<int> received, CancellationToken cancellationToken)
    {
        var stream = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0, FileOptions.Asynchronous);
        await using (stream.ConfigureAwait(false))
        {
            if (stream.Length > file.Size)
            {
                stream.SetLength(0);
            }
            IncrementalHash hash = file.Hash.Begin(file.Size);
            try
            {
                await ContentHash.AppendAsync(hash, stream, cancellationToken).ConfigureAwait(false);
                report(stream.Position);
                if (stream.Position < file.Size)
                {
                    using HubBody body = await client.OpenAsync(file, commit, stream.Position, cancellationToken).ConfigureAwait(false);
                    RequireFit(body, file, stream.Position);
                    if (body.Start < stream.Position)
                    {
                        stream.SetLength(0);
                        hash.Dispose();
                        hash = file.Hash.Begin(file.Size);
                    }
                    await ReceiveAsync(body, file, stream, hash, report, received, cancellationToken).ConfigureAwait(false);
                }
                stream.Flush(flushToDisk: true);
                return file.Hash.IsOf(hash);
            }
            finally
            {
                hash.Dispose();
            }
        }
    }

    private static async Task ReceiveAsync(HubBody body, HubFile file, FileStream stream, IncrementalHash hash, Action<long> report, Action<int> received, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferLength];
        while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is int count and > 0)
        {
            if (stream.Position + count > file.Size)
            {
                stream.SetLength(0);
                throw new ToolException(string.Create(CultureInfo.InvariantCulture, $"The server sends more for '{file.Path}' than the {file.Size} bytes that it listed. Nothing of it is kept; run the command again, or choose another --endpoint."));
            }
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            hash.AppendData(buffer, 0, count);
            received(count);
            report(stream.Position);
        }
        if (stream.Position < file.Size)
        {
            throw new TransientException(string.Create(CultureInfo.InvariantCulture, $"'{file.Path}' ended after {stream.Position} of {file.Size} bytes."));
        }
    }

    private static void RequireFit(HubBody body, HubFile file, long position)
    {
        bool isPlaceRight = body.Start == 0 || body.Start == position;
        long? total = body.Total ?? (body.Length is long length ? body.Start + length : null);
        if (!isPlaceRight || (total is long bytes && bytes != file.Size))
        {
            throw new ToolException(string.Create(
                CultureInfo.InvariantCulture, $"The server announces {total ?? body.Length} bytes for '{file.Path}', from byte {body.Start}; it listed {file.Size}, and {position} are there. Run the command again, or choose another --endpoint."));
        }
    }
}
