using System.Net;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>The server that models come from: the Hugging Face Hub, or one that speaks its protocol.</summary>
internal sealed class HubEndpoint
{
    /// <summary>The Hub.</summary>
    public const string Default = "https://huggingface.co";

    private readonly Uri _address;
    private readonly string _start;

    private HubEndpoint(Uri address)
    {
        _address = address;
        _start = address.GetLeftPart(UriPartial.Path).TrimEnd('/');
    }

    /// <summary>Reads an address.</summary>
    /// <param name="text">The address, perhaps with a path.</param>
    /// <param name="source">Where it stands, for messages.</param>
    /// <exception cref="UsageException">It is none, or data would go over the network unencrypted.</exception>
    public static HubEndpoint Parse(string text, string source)
    {
        string shown = TextInMessage.Of(text);
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
        {
            throw new UsageException($"{source} is '{shown}', which is no address of a server. Write it as {Default}.");
        }
        if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            throw new UsageException($"{source} has more than a server and a path in it. Write it as {Default}; a token goes into HF_TOKEN.");
        }
        return address.Scheme == "https" || IsLoopback(address)
            ? new HubEndpoint(address)
            : throw new UsageException($"{source} is '{shown}', which is not encrypted: http is for this machine only, such as http://127.0.0.1:8080. Write https.");
    }

    /// <summary>The address, for messages.</summary>
    public string Shown => TextInMessage.Of(_start);

    /// <summary>Where a revision and its files are listed.</summary>
    public Uri Listing(RepositoryId repository) => new($"{_start}/api/models/{repository.Name}/revision/{Uri.EscapeDataString(repository.Revision)}?blobs=true");

    /// <summary>Where a file of a commit is.</summary>
    public Uri File(RepositoryId repository, string commit, string path) => new($"{_start}/{repository.Name}/resolve/{commit}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>Whether an address is on this server, and may be shown the token.</summary>
    public bool IsOwn(Uri address) => address.Scheme == _address.Scheme && address.Port == _address.Port && address.IdnHost.Equals(_address.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a redirect may be followed: encrypted, or on this machine where the endpoint is too.</summary>
    public bool Allows(Uri address) => address.Scheme == "https" || (address.Scheme == "http" && IsLoopback(_address) && IsLoopback(address));

    /// <summary>Whether an address is this machine, whatever its name is resolved to.</summary>
    public static bool IsLoopback(Uri address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? number) && IPAddress.IsLoopback(number));
}
