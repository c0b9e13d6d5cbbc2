using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>A request has failed in a way that another attempt may mend.</summary>
internal sealed class TransientException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : ToolException(message, inner)
{
    /// <summary>How long the server asks to wait; <see langword="null"/> where it does not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
