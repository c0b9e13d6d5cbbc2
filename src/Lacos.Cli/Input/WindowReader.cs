using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Lacos.Cli.Input;

/// <summary>Reads a file in windows, one window ahead of whoever works on them.</summary>
internal static class WindowReader
{
    /// <summary>Records in a window: enough to sort by length and fill batches.</summary>
    public const int RecordsPerWindow = 4096;

    /// <summary>Characters after which a window is full however few records it has.</summary>
    public const int CharactersPerWindow = 1 << 22;

    /// <summary>Reads all windows of a file. Memory holds at most three: one being filled, one waiting, one worked on.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columns">Columns wanted.</param>
    /// <param name="withPlaces">Whether messages about single records will be needed.</param>
    /// <param name="cancellationToken">Ends the wait for the next window.</param>
    public static async IAsyncEnumerable<TextWindow> ReadAsync(RecordReader records, int[] columns, bool withPlaces, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var windows = Channel.CreateBounded<TextWindow>(new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Not awaited when cancelled: a read from a terminal or a pipe may never return, and ends with the process.
        Task reading = Task.Run(() => FillAsync(records, columns, withPlaces, windows.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (TextWindow window in windows.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return window;
            }
            await reading.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task FillAsync(RecordReader records, int[] columns, bool withPlaces, ChannelWriter<TextWindow> windows, CancellationToken cancellationToken)
    {
        try
        {
            while (Fill(records, columns, withPlaces, cancellationToken) is { Count: > 0 } window)
            {
                await windows.WriteAsync(window, cancellationToken).ConfigureAwait(false);
            }
            windows.Complete();
        }
        catch (Exception error)
        {
            windows.Complete(error);
        }
    }

    private static TextWindow Fill(RecordReader records, int[] columns, bool withPlaces, CancellationToken cancellationToken)
    {
        var rows = new List<string?>();
        var places = new List<string>();
        var values = new string?[columns.Length];
        int count = 0;
        long characters = 0;
        while (count < RecordsPerWindow && characters < CharactersPerWindow && records.Read(columns, values))
        {
            cancellationToken.ThrowIfCancellationRequested();
            rows.AddRange(values);
            count++;
            foreach (string? value in values)
            {
                characters += value?.Length ?? 0;
            }
            if (withPlaces)
            {
                places.Add(records.Place);
            }
        }
        return new TextWindow([.. rows], count, [.. places], records.File.Position);
    }
}
