using System.Globalization;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Download;

/// <summary>Tries again after failures that may pass: after 1, 2, 4 ... seconds, or when the server says.</summary>
internal sealed class Retry(DownloadSettings settings, ToolStreams streams)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>Does some work, a bounded number of times.</summary>
    /// <param name="work">The work.</param>
    /// <param name="progress">Bytes that have arrived so far, of all attempts; an attempt that brought many does not count as failed.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ToolException">The last attempt failed, too; or the failure is none that passes.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, Func<long> progress, CancellationToken cancellationToken)
    {
        for (int failures = 1; ; failures++)
        {
            long before = progress();
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (TransientException error)
            {
                failures = progress() - before >= settings.BytesThatCount ? 1 : failures;
                if (failures >= settings.Attempts)
                {
                    throw new ToolException(string.Create(CultureInfo.InvariantCulture, $"{error.Message} It was tried {settings.Attempts} times; the same command continues later."), error);
                }
                if (error.RetryAfter > Longest)
                {
                    throw new ToolException($"{error.Message} The server asks to wait {Duration.Of(error.RetryAfter.Value)}; the same command continues then.", error);
                }
                TimeSpan pause = error.RetryAfter ?? (First * Math.Pow(2, failures - 1));
                streams.Warn($"{error.Message} Trying again in {Duration.Of(pause)}.");
                await settings.Wait(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
