using System.Globalization;
using Lacos.Cli.Curves;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Microsoft.ML.Lacos.Benchmarks.Results;

/// <summary>A picture of a table: a group of bars a row, a bar a plotted column, and above each its ratio to the first.</summary>
internal static class BarPlot
{
    private const int LeastWidth = 1100;
    private const int BarWidth = 46;
    private const int LetterWidth = 8;
    private const int Height = 520;

    private static readonly Color[] Palette = [Color.FromHex("#1F4E89"), Color.FromHex("#B5651D"), Color.FromHex("#2E7D4F"), Color.FromHex("#7A7A7A"), Color.FromHex("#8E44AD"), Color.FromHex("#C0392B")];

    /// <summary>Draws the plotted columns; with a single one, the ratios are to its first row.</summary>
    public static void Save(ResultTable table, string path)
    {
        int[] series = [.. Enumerable.Range(0, table.Columns.Count).Where(column => table.Columns[column].IsPlotted && table.Rows.Any(row => row.Values[column] is not null))];
        if (series.Length == 0 || table.Rows.Count == 0)
        {
            return;
        }
        PlotFont.Use();
        var plot = new Plot();
        var bars = new List<Bar>();
        for (int row = 0; row < table.Rows.Count; row++)
        {
            double?[] values = table.Rows[row].Values;
            for (int i = 0; i < series.Length; i++)
            {
                if (values[series[i]] is not double value)
                {
                    continue;
                }
                double? basis = series.Length == 1 ? table.Rows[0].Values[series[0]] : values[series[0]];
                Column column = table.Columns[series[i]];
                bars.Add(new Bar
                {
                    Position = (row * (series.Length + 1)) + i,
                    Value = column.Shown(value),
                    FillColor = Palette[i % Palette.Length],
                    LineWidth = 0,
                    Size = 0.9,
                    Label = Label(column, value, basis, isBasis: series.Length == 1 ? row == 0 : i == 0),
                });
            }
        }
        plot.Add.Bars(bars).ValueLabelStyle.FontSize = 13;
        double center = (series.Length - 1) / 2.0;
        int width = Math.Max(LeastWidth, BarWidth * table.Rows.Count * (series.Length + 1));
        plot.Axes.Bottom.TickGenerator = new NumericManual([.. table.Rows.Select((_, row) => (row * (series.Length + 1)) + center)], [.. table.Rows.Select(row => Folded(row.Label, width / table.Rows.Count))]);
        Dress(plot, table, [.. series.Select(column => table.Columns[column])], bars.Max(bar => bar.Value));
        plot.SavePng(path, width, Height);
    }

    // A label too long for its place goes on below at its commas.
    private static string Folded(string label, int width) => label.Length * LetterWidth <= width ? label : label.Replace(", ", ",\n", StringComparison.Ordinal);

    // Shares, times and sizes speak for themselves; a rate is best told as a ratio.
    private static string Label(Column column, double value, double? basis, bool isBasis) =>
        column.Format.EndsWith("ms", StringComparison.Ordinal) ? column.Shown(value).ToString("0.0", CultureInfo.InvariantCulture)
        : isBasis || basis is not > 0 || column.Format.EndsWith('%') || column.Format.EndsWith("MB", StringComparison.Ordinal) ? column.Cell(value)
        : string.Create(CultureInfo.InvariantCulture, $"{value / basis.Value:0.00} x");

    private static void Dress(Plot plot, ResultTable table, Column[] series, double highest)
    {
        plot.Font.Set(PlotFont.Name);
        int end = table.Title.IndexOf(". ", StringComparison.Ordinal);
        plot.Title(table.Title[..end] + "\n" + table.Title[(end + 2)..], size: 15);
        plot.Axes.Title.Label.Bold = false;
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.Axes.Bottom.TickLabelStyle.FontSize = 13;
        plot.Axes.Left.TickGenerator = new NumericAutomatic { LabelFormatter = value => value.ToString("#,0.##", CultureInfo.InvariantCulture) };
        plot.Axes.Left.MinimumSize = 80;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.XAxisStyle.IsVisible = false;
        plot.Axes.SetLimitsY(0, 1.25 * highest);
        plot.XLabel(table.Label, size: 14);
        plot.Axes.Bottom.Label.Bold = false;
        if (series.Length == 1)
        {
            plot.YLabel(series[0].Name);
            plot.Axes.Left.Label.Bold = false;
            return;
        }
        for (int i = 0; i < series.Length; i++)
        {
            plot.Legend.ManualItems.Add(new LegendItem { LabelText = series[i].Name, FillColor = Palette[i % Palette.Length] });
        }
        plot.ShowLegend(Alignment.UpperRight, Orientation.Horizontal);
    }
}
