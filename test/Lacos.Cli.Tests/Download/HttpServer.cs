using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lacos.Cli.Tests.Download;

/// <summary>A request as it came.</summary>
internal sealed record HttpCall(string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>First byte that is asked for; 0 for all.</summary>
    public int From => Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
}

/// <summary>An answer, and how it goes wrong.</summary>
internal sealed record HttpReply(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>What Content-Length says; <see langword="null"/> for the truth, -1 for no such header.</summary>
    public long? Announced { get; init; }

    /// <summary>Bytes of the body after which the connection ends; <see langword="null"/> for none.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Whether nothing comes after what was sent, and the connection stays open.</summary>
    public bool Hangs { get; init; }

    /// <summary>Awaited after what was sent.</summary>
    public Action? Sent { get; init; }
}

/// <summary>A server on this machine that answers as it is told to: one request a connection, so that it can break one wherever a test wants.</summary>
internal sealed class HttpServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<HttpCall, HttpReply> _answer;

    public HttpServer(Func<HttpCall, HttpReply> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public ConcurrentQueue<HttpCall> Calls { get; } = new();

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)}";

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = AnswerAsync(client);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                HttpCall call = await ReadAsync(stream);
                Calls.Enqueue(call);
                await WriteAsync(stream, _answer(call));
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side has gone, or the test has ended.
            }
        }
    }

    private async Task WriteAsync(NetworkStream stream, HttpReply reply)
    {
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} Said\r\nConnection: close\r\n"));
        if (reply.Announced != -1)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Announced ?? reply.Body.Length}\r\n");
        }
        foreach ((string name, string value) in reply.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + "\r\n"), _end.Token);
        await stream.WriteAsync(reply.Body.AsMemory(0, reply.CutAfter ?? reply.Body.Length), _end.Token);
        reply.Sent?.Invoke();
        if (reply.Hangs)
        {
            await Task.Delay(Timeout.Infinite, _end.Token);
        }
    }

    private static async Task<HttpCall> ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        string path = (await reader.ReadLineAsync() ?? throw new IOException("No request.")).Split(' ')[1];
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }
        return new HttpCall(path, headers);
    }
}
