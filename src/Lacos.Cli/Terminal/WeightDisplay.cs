using Microsoft.ML.Lacos.Quantization;

namespace Lacos.Cli.Terminal;

/// <summary>A bar for work that goes through all weights of a model.</summary>
internal static class WeightDisplay
{
    // Steps of the bar.
    private const int Steps = 1000;

    /// <summary>Does some work under a display.</summary>
    /// <param name="streams">Where to show it.</param>
    /// <param name="title">What is being done.</param>
    /// <param name="work">The work; it tells how far it is.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static Task RunAsync(ToolStreams streams, string title, Action<WeightProgress> work, CancellationToken cancellationToken) =>
        ProgressDisplay.RunAsync(streams, title, "parameters", Steps, async display =>
        {
            await Task.Yield();
            work(new WeightProgress((done, total) => display.Report(done, total == 0 ? 0 : Steps * done / total), cancellationToken));
        });
}
