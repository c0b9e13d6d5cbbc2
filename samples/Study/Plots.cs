using ScottPlot;
using ScottPlot.Plottables;

namespace Study;

/// <summary>Lines of the two means over named places.</summary>
internal static class Plots
{
    public static void Save(string path, string title, string[] places, (string Name, double[] Values)[] lines)
    {
        using var plot = new Plot();
        double[] positions = [.. Enumerable.Range(0, places.Length).Select(index => (double)index)];
        foreach ((string name, double[] values) in lines)
        {
            Scatter line = plot.Add.Scatter(positions, values);
            line.LegendText = name;
            line.LineWidth = 2;
            line.MarkerSize = 8;
        }
        plot.Axes.Bottom.SetTicks(positions, places);
        plot.Axes.Right.MinimumSize = 40;
        plot.Axes.Margins(0.1, 0.15);
        plot.Title(title);
        plot.YLabel("cosine Spearman x 100");
        plot.ShowLegend(Edge.Bottom);
        plot.SavePng(path, 640, 440);
    }
}
