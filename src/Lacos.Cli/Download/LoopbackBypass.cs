using System.Net;

namespace Lacos.Cli.Download;

/// <summary>The proxy of the environment (HTTPS_PROXY, NO_PROXY), but for this machine none.</summary>
internal sealed class LoopbackBypass(IWebProxy proxy) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => proxy.Credentials;
        set => proxy.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : proxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => HubEndpoint.IsLoopback(host) || proxy.IsBypassed(host);
}
