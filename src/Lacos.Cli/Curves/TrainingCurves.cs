using System.Globalization;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Training.Checkpoints;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;

namespace Lacos.Cli.Curves;

/// <summary><c>train-curves.png</c>: loss, learning rate and Spearman of a run over its steps, drawn from its log.</summary>
internal static class TrainingCurves
{
    /// <summary>Name of the file.</summary>
    public const string FileName = RunFiles.Curves;

    /// <summary>Name of the log they are drawn from.</summary>
    public const string LogName = RunFiles.Log;

    private const int Width = 1200;
    private const int HeightOfPlot = 320;
    private const int MostPoints = 4000;

    private static readonly Color Faint = Color.FromHex("#9DB7D5");
    private static readonly Color Strong = Color.FromHex("#1F4E89");
    private static readonly Color Rate = Color.FromHex("#B5651D");
    private static readonly Color Score = Color.FromHex("#2E7D4F");

    /// <summary>Draws the curves of a training folder; where that fails, warns: a run is worth more than its picture.</summary>
    public static void TryDraw(string folder, ToolStreams streams)
    {
        string log = Path.Combine(folder, LogName);
        try
        {
            if (File.Exists(log))
            {
                Draw(log);
            }
        }
        catch (Exception error) when (error is IOException or ToolException or UnauthorizedAccessException or DllNotFoundException or TypeInitializationException)
        {
            streams.Warn($"the curves could not be drawn: {error.Message}");
        }
    }

    /// <summary>Draws the curves of a log beside it.</summary>
    /// <param name="logPath">The log.</param>
    /// <returns>Path of the picture; <see langword="null"/> where the log holds no step.</returns>
    public static string? Draw(string logPath)
    {
        List<LogPoint> points = LogPoint.Read(logPath);
        if (points.Count == 0)
        {
            return null;
        }
        PlotFont.Use();
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(logPath))!, FileName);
        var plots = new Multiplot();
        plots.AddPlots(points.Any(point => point.Spearman is not null) ? 3 : 2);
        Loss(plots.GetPlot(0), points);
        LearningRate(plots.GetPlot(1), points);
        if (plots.Count() > 2)
        {
            Spearman(plots.GetPlot(2), points);
        }
        plots.GetPlot(plots.Count() - 1).XLabel("step");
        foreach (Plot plot in plots.GetPlots())
        {
            Dress(plot, points[^1].Step);
        }
        using PendingFile file = PendingFile.Create(path);
        file.Stream.Write(plots.Render(Width, HeightOfPlot * plots.Count()).GetImageBytes(ImageFormat.Png));
        file.Commit();
        return path;
    }

    private static void Loss(Plot plot, List<LogPoint> points)
    {
        int window = Math.Clamp(points.Count / 40, 5, 200);
        Smoothing mean = Smoothing.Over(window);
        double[] smoothed = [.. points.Select(point => mean.Add(point.Loss))];
        LogPoint[] shown = [.. Thinned(points).Where(point => double.IsFinite(point.Loss))];
        Line(plot, [.. shown.Select(point => (double)point.Step)], [.. shown.Select(point => point.Loss)], Faint, 1).LegendText = "each step";
        Line(plot, [.. Thinned(points).Select(point => (double)point.Step)], [.. Thinned(smoothed)], Strong, 2.5f).LegendText =
            string.Create(CultureInfo.InvariantCulture, $"mean over about {window} steps");
        plot.YLabel("loss");
        plot.ShowLegend(Alignment.UpperRight);
    }

    private static void LearningRate(Plot plot, List<LogPoint> points)
    {
        LogPoint[] shown = [.. Thinned(points)];
        Line(plot, [.. shown.Select(point => (double)point.Step)], [.. shown.Select(point => point.LearningRate)], Rate, 2);
        plot.YLabel("learning rate");
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = rate => Math.Abs(rate) < 1e-12 ? "0" : rate.ToString("0.##e+0", CultureInfo.InvariantCulture) };
    }

    private static void Spearman(Plot plot, List<LogPoint> points)
    {
        LogPoint[] judged = [.. points.Where(point => point.Spearman is not null)];
        Scatter line = Line(plot, [.. judged.Select(point => (double)point.Step)], [.. judged.Select(point => 100 * point.Spearman!.Value)], Score, 2);
        line.MarkerSize = judged.Length > 60 ? 0 : 7;
        LogPoint best = judged.MaxBy(point => point.Spearman!.Value);
        Scatter mark = plot.Add.ScatterPoints(new[] { (double)best.Step }, new[] { 100 * best.Spearman!.Value }, Score);
        mark.MarkerSize = 13;
        mark.MarkerShape = MarkerShape.OpenCircle;
        mark.LegendText = string.Create(CultureInfo.InvariantCulture, $"best: {100 * best.Spearman.Value:F2} at step {best.Step:N0}");
        plot.YLabel("Spearman × 100");
        plot.ShowLegend(Alignment.LowerRight);
    }

    private static Scatter Line(Plot plot, double[] xs, double[] ys, Color color, float width)
    {
        Scatter line = plot.Add.ScatterLine(xs, ys, color);
        line.LineWidth = width;
        return line;
    }

    private static void Dress(Plot plot, long lastStep)
    {
        plot.Font.Set(PlotFont.Name);
        plot.Axes.Left.Label.Bold = false;
        plot.Axes.Bottom.Label.Bold = false;
        plot.Axes.Left.MinimumSize = 90;
        plot.Axes.Right.MinimumSize = 30;
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true, LabelFormatter = step => step.ToString("N0", CultureInfo.InvariantCulture) };
        plot.Axes.SetLimitsX(0, Math.Max(1, lastStep));
        plot.Grid.MajorLineColor = Color.FromHex("#E6E6E6");
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
    }

    // A picture has no more columns than this; the smoothed line is made from all points before.
    private static IEnumerable<T> Thinned<T>(IReadOnlyList<T> points)
    {
        int step = (points.Count + MostPoints - 1) / MostPoints;
        for (int i = 0; i < points.Count; i += step)
        {
            yield return points[i];
        }
    }
}
