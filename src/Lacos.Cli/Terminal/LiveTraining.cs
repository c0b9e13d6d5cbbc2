using System.Globalization;
using Lacos.Cli.Curves;
using Microsoft.ML.Lacos;
using Spectre.Console;

namespace Lacos.Cli.Terminal;

/// <summary>A training run as a person watches it on a terminal: step, loss, learning rate, Spearman, speed, time left, refreshed in place.</summary>
internal sealed class LiveTraining(ToolStreams streams) : IProgress<TrainingProgress>
{
    private const int BarWidth = 40;

    private readonly Lock _lock = new();
    private readonly Smoothing _loss = Smoothing.Over(50);
    private TrainingProgress? _last;
    private (double Spearman, long Step)? _now;
    private (double Spearman, long Step)? _best;

    /// <summary>Whether there is a terminal that can show it and a person who has not said otherwise.</summary>
    public static bool IsPossible(ToolStreams streams) =>
        streams.ErrorIsTerminal && !streams.Quiet && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Told after each step, on the training thread.</summary>
    public void Report(TrainingProgress value)
    {
        lock (_lock)
        {
            _last = value;
            _loss.Add(value.Loss);
            if (value.Spearman is double spearman)
            {
                _now = (spearman, value.Step);
                _best = _best is { } best && !double.IsNaN(best.Spearman) && !(spearman > best.Spearman) ? best : _now;
            }
        }
    }

    /// <summary>Does the work under the display, with messages above it, and gives the terminal back whole however the work ends.</summary>
    public T Run<T>(Func<T> work)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        Task<T> working = Task.Run(work);
        try
        {
            console.Live(View()).AutoClear(false).Start(context =>
            {
                streams.Display = message => console.WriteLine(message);
                while (!working.IsCompleted)
                {
                    context.UpdateTarget(View());
                    ((IAsyncResult)working).AsyncWaitHandle.WaitOne(250);
                }
                context.UpdateTarget(View());
            });
        }
        finally
        {
            // However the display ends: the process must not end while torch computes.
            ((IAsyncResult)working).AsyncWaitHandle.WaitOne();
            streams.Display = null;
        }
        return working.GetAwaiter().GetResult();
    }

    private Grid View()
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn(new GridColumn().NoWrap());
        foreach ((string name, string text) in Lines())
        {
            grid.AddRow(new Text(name, new Style(Color.Grey)), new Text(text));
        }
        return grid;
    }

    /// <summary>What is shown, as names and texts.</summary>
    internal IReadOnlyList<(string Name, string Text)> Lines()
    {
        lock (_lock)
        {
            if (_last is not { } last)
            {
                return [("step", "reading model and data")];
            }
            var lines = new List<(string, string)>
            {
                ("step", string.Create(CultureInfo.InvariantCulture, $"{last.Step:N0} of {last.TotalSteps:N0}  {Bar(last.Step, last.TotalSteps)} {100.0 * last.Step / Math.Max(1, last.TotalSteps):F1} %")),
                ("loss", string.Create(CultureInfo.InvariantCulture, $"{_loss.Mean:F4}  (this step {last.Loss:F4}, gradient {last.GradientNorm:F2})")),
                ("learning rate", last.LearningRate.ToString("0.00e+0", CultureInfo.InvariantCulture)),
                ("speed", string.Create(CultureInfo.InvariantCulture, $"{last.SentencesPerSecond:N0} sentences/s, {Clock(last.TimeLeft)} left")),
            };
            if (_now is { } now && _best is { } best)
            {
                lines.Insert(3, ("Spearman", string.Create(CultureInfo.InvariantCulture, $"{100 * now.Spearman:F2} at step {now.Step:N0}, best {100 * best.Spearman:F2} at step {best.Step:N0}")));
            }
            return lines;
        }
    }

    private static string Bar(long step, long total)
    {
        int done = (int)(BarWidth * Math.Min(step, total) / Math.Max(1, total));
        return new string('█', done) + new string('░', BarWidth - done);
    }

    private static string Clock(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}");
}
