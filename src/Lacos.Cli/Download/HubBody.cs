using System.Net;

namespace Lacos.Cli.Download;

/// <summary>The content of an answer, as it arrives; a connection over which nothing arrives any more is given up.</summary>
internal sealed class HubBody(HttpResponseMessage response, Stream stream, string source, TimeSpan stallTimeout) : IDisposable
{
    /// <summary>Bytes that the answer announces; <see langword="null"/> where it does not.</summary>
    public long? Length => response.Content.Headers.ContentLength;

    /// <summary>Where the content begins within the file; 0 for the whole file.</summary>
    /// <remarks>A server that does not know ranges sends the whole file instead.</remarks>
    public long Start => response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? -1 : 0;

    /// <summary>Size of the whole file, where a part of it says so.</summary>
    public long? Total => response.Content.Headers.ContentRange?.Length;

    /// <summary>Reads some bytes; 0 at the end.</summary>
    /// <exception cref="TransientException">The connection broke, or nothing came for too long.</exception>
    public async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(stallTimeout);
        try
        {
            return await stream.ReadAsync(buffer, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw new TransientException($"The connection to {source} broke: {error.Message.TrimEnd('.')}.", inner: error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException($"Nothing came from {source} for {Terminal.Duration.Of(stallTimeout)}.", inner: error);
        }
    }

    public void Dispose()
    {
        stream.Dispose();
        response.Dispose();
    }
}
