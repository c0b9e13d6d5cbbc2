using System.Text;

namespace Lacos.Cli.Terminal;

/// <summary>A table as aligned Markdown: readable on a terminal, in a file and in a model card, never wrapped.</summary>
internal static class TextTable
{
    /// <summary>Lines of a table.</summary>
    /// <param name="header">Column names.</param>
    /// <param name="rightAligned">Which columns hold numbers.</param>
    /// <param name="rows">Rows, as wide as the header.</param>
    public static IEnumerable<string> Lines(string[] header, bool[] rightAligned, IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. header.Select((name, column) => Math.Max(3, rows.Select(row => row[column].Length).Append(name.Length).Max()))];
        yield return Line(header, widths, rightAligned);
        yield return "|" + string.Concat(widths.Select((width, column) => rightAligned[column] ? new string('-', width + 1) + ":|" : new string('-', width + 2) + "|"));
        foreach (string[] row in rows)
        {
            yield return Line(row, widths, rightAligned);
        }
    }

    private static string Line(string[] cells, int[] widths, bool[] rightAligned)
    {
        var line = new StringBuilder("|");
        for (int column = 0; column < cells.Length; column++)
        {
            line.Append(' ').Append(rightAligned[column] ? cells[column].PadLeft(widths[column]) : cells[column].PadRight(widths[column])).Append(" |");
        }
        return line.ToString();
    }
}
