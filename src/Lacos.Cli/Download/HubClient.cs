using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Asks a server that speaks the Hub's protocol. Redirects are followed here, one by one: each must be allowed, and only the endpoint itself sees the token.</summary>
internal sealed class HubClient : IDisposable
{
    /// <summary>Bytes of a list of files; the largest models have some tens of thousands.</summary>
    public const int LargestListing = 1 << 24;

    private const int MostRedirects = 5;

    private readonly HubEndpoint _endpoint;
    private readonly RepositoryId _repository;
    private readonly string? _token;
    private readonly DownloadSettings _settings;
    private readonly HttpClient _http;
    private bool _isReached;

    /// <summary>Makes a client for one model.</summary>
    public HubClient(HubEndpoint endpoint, RepositoryId repository, string? token, DownloadSettings settings)
    {
        _endpoint = endpoint;
        _repository = repository;
        _token = token;
        _settings = settings;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = settings.ConnectTimeout,
            Proxy = new LoopbackBypass(HttpClient.DefaultProxy),
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        string version = typeof(HubClient).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("lacos", version));
        _http.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
    }

    /// <summary>The server's answer about the revision: JSON, not larger than <see cref="LargestListing"/>.</summary>
    /// <exception cref="ToolException">There is no such model or revision, or it is not for everybody.</exception>
    public async Task<byte[]> ListAsync(CancellationToken cancellationToken)
    {
        string what = $"the list of the files of {_repository}";
        using HubBody body = await OpenAsync(_endpoint.Listing(_repository), 0, what, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(body, LargestListing, what, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A small file of a commit, checked.</summary>
    /// <exception cref="ToolException">It cannot be had, or is another than was listed.</exception>
    public async Task<byte[]> ReadAsync(HubFile file, string commit, CancellationToken cancellationToken)
    {
        using HubBody body = await OpenAsync(file, commit, 0, cancellationToken).ConfigureAwait(false);
        byte[] content = await ReadAsync(body, checked((int)file.Size), $"'{file.Path}'", cancellationToken).ConfigureAwait(false);
        if (content.Length < file.Size)
        {
            throw new TransientException($"'{file.Path}' ended after {content.Length} of {file.Size} bytes.");
        }
        return file.Hash.IsOf(content) ? content : throw OtherContent(file);
    }

    /// <summary>A file of a commit, or what follows its first bytes.</summary>
    /// <exception cref="ToolException">It cannot be had.</exception>
    public Task<HubBody> OpenAsync(HubFile file, string commit, long offset, CancellationToken cancellationToken) =>
        OpenAsync(_endpoint.File(_repository, commit, file.Path), offset, $"'{file.Path}'", cancellationToken);

    /// <summary>The fault of content that is not what was listed.</summary>
    public static ToolException OtherContent(HubFile file) =>
        new($"What the server sent as '{file.Path}' is not what it listed: its {file.Hash.Scheme} is not {file.Hash.Hex}. Nothing of it is kept. Run the command again; if it happens again, something between here and the server changes files.");

    public void Dispose() => _http.Dispose();

    private static async Task<byte[]> ReadAsync(HubBody body, int largest, string what, CancellationToken cancellationToken)
    {
        if (body.Length > largest)
        {
            throw TooLong(what, largest);
        }
        var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is int count and > 0)
        {
            if (content.Length + count > largest)
            {
                throw TooLong(what, largest);
            }
            content.Write(buffer, 0, count);
        }
        return content.ToArray();
    }

    private static ToolException TooLong(string what, long largest) => new($"The server sends more for {what} than the {largest} bytes that it may have. Nothing of it is kept; check the address of the server.");

    private async Task<HubBody> OpenAsync(Uri address, long offset, string what, CancellationToken cancellationToken)
    {
        for (int redirects = 0; redirects <= MostRedirects; redirects++)
        {
            HttpResponseMessage response = await SendAsync(address, offset, what, cancellationToken).ConfigureAwait(false);
            try
            {
                if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
                {
                    Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
                    var body = new HubBody(response, stream, $"{Shown(address)} for {what}", _settings.StallTimeout);
                    response = null!;
                    return body;
                }
                if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0)
                {
                    offset = 0;
                    continue;
                }
                address = (int)response.StatusCode is >= 300 and < 400
                    ? Target(address, response, what)
                    : throw HubAnswer.Fault(response, _repository, what, _endpoint, _token is not null, address);
            }
            finally
            {
                response?.Dispose();
            }
        }
        throw new ToolException($"The server redirects more than {MostRedirects} times for {what}. Check --endpoint.");
    }

    private Uri Target(Uri address, HttpResponseMessage response, string what)
    {
        if (response.Headers.Location is not { } location || !Uri.TryCreate(address, location, out Uri? target))
        {
            throw new ToolException($"The server answered {(int)response.StatusCode} for {what} and does not say where to go. Check --endpoint.");
        }
        return _endpoint.Allows(target)
            ? target
            : throw new ToolException($"The server redirects to {TextInMessage.Of(target.GetLeftPart(UriPartial.Authority))} for {what}, which is not encrypted. Such a redirect is not followed; check --endpoint.");
    }

    private async Task<HttpResponseMessage> SendAsync(Uri address, long offset, string what, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
        }
        if (_token is not null && _endpoint.IsOwn(address))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_settings.ConnectTimeout + _settings.StallTimeout);
        try
        {
            HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            _isReached = true;
            return response;
        }
        catch (HttpRequestException error) when (error.HttpRequestError is HttpRequestError.SecureConnectionError)
        {
            throw new ToolException($"{Shown(address)} cannot be trusted for {what}: {Innermost(error)} Check the machine's clock, its certificates, and HTTPS_PROXY.", error);
        }
        catch (HttpRequestException error)
        {
            throw NoAnswer($"{Shown(address)} does not answer for {what}: {Innermost(error)}", error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer($"{Shown(address)} does not answer for {what}.", error);
        }
    }

    // Where nothing has ever answered, the address is wrong or there is no network: waiting mends neither.
    private ToolException NoAnswer(string message, Exception error) =>
        _isReached ? new TransientException(message, inner: error) : new ToolException($"{message} Check the connection, HTTPS_PROXY and --endpoint.", error);

    private static string Innermost(Exception error)
    {
        string message = error.GetBaseException().Message.Trim();
        return message.EndsWith('.') ? message : message + ".";
    }

    private static string Shown(Uri address) => TextInMessage.Of(address.GetLeftPart(UriPartial.Authority));
}
