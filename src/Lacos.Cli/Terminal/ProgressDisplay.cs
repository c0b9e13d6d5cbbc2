using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lacos.Cli.Terminal;

/// <summary>A bar with rate and time left on standard error, where a person is looking; nothing otherwise.</summary>
internal sealed class ProgressDisplay
{
    private readonly string _unit;
    private readonly long? _totalBytes;
    private readonly ProgressTask? _task;
    private long _count;

    private ProgressDisplay(string unit, long? totalBytes, ProgressTask? task)
    {
        _unit = unit;
        _totalBytes = totalBytes is > 0 ? totalBytes : null;
        _task = task;
    }

    /// <summary>Does some work under a display.</summary>
    /// <param name="streams">Where to show it.</param>
    /// <param name="title">What is being done.</param>
    /// <param name="unit">What is counted, in the plural.</param>
    /// <param name="totalBytes">Bytes the work will go through; <see langword="null"/> where that is not known.</param>
    /// <param name="work">The work.</param>
    public static async Task RunAsync(ToolStreams streams, string title, string unit, long? totalBytes, Func<ProgressDisplay, Task> work)
    {
        if (!streams.ErrorIsTerminal || streams.Quiet)
        {
            await work(new ProgressDisplay(unit, totalBytes, null)).ConfigureAwait(false);
            return;
        }
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var state = new StateColumn();
        streams.Display = message => console.WriteLine(message);
        try
        {
            await ShowAsync(console, title, unit, totalBytes, state, work).ConfigureAwait(false);
        }
        finally
        {
            streams.Display = null;
        }
    }

    private static Task ShowAsync(IAnsiConsole console, string title, string unit, long? totalBytes, StateColumn state, Func<ProgressDisplay, Task> work) =>
        console.Progress()
            .AutoClear(true)
            .AutoRefresh(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), state)
            .StartAsync(async context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                task.IsIndeterminate = totalBytes is not > 0;
                var display = new ProgressDisplay(unit, totalBytes, task);
                state.Display = display;

                // The display refreshes on this thread; the work must not hold it up.
                await Task.Run(() => work(display)).ConfigureAwait(false);
            });

    /// <summary>Reports how far the work is.</summary>
    /// <param name="count">Units done.</param>
    /// <param name="bytes">Bytes gone through.</param>
    public void Report(long count, long bytes)
    {
        Interlocked.Exchange(ref _count, count);
        if (_task is not null && _totalBytes is long total)
        {
            _task.Value = Math.Min(1, (double)bytes / total);
        }
    }

    /// <summary>Rate and time left in words.</summary>
    internal static string Describe(long count, string unit, TimeSpan elapsed, double? fraction)
    {
        double rate = elapsed.TotalSeconds > 0 ? count / elapsed.TotalSeconds : 0;
        string text = string.Create(CultureInfo.InvariantCulture, $"{count:N0} {unit}, {rate:N0}/s");
        if (fraction is not > 0 || fraction >= 1 || elapsed.TotalSeconds < 1)
        {
            return text;
        }
        TimeSpan left = TimeSpan.FromSeconds(Math.Min(elapsed.TotalSeconds * (1 - fraction.Value) / fraction.Value, 359_999));
        string clock = left.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{left.Minutes:00}:{left.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{left.Minutes}:{left.Seconds:00}");
        return $"{text}, {clock} left";
    }

    private sealed class StateColumn : ProgressColumn
    {
        public ProgressDisplay? Display { get; set; }

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            if (Display is null)
            {
                return new Text("");
            }
            double? fraction = Display._totalBytes is null ? null : task.Value;
            return new Text(Describe(Interlocked.Read(ref Display._count), Display._unit, task.ElapsedTime ?? TimeSpan.Zero, fraction));
        }
    }
}
