using System.Globalization;
using Microsoft.ML.Lacos.Bloom;

namespace Study;

/// <summary>Scores of the cells made so far, kept in a file so that a run that was cut short goes on where it was.</summary>
internal sealed class Results(string path)
{
    private readonly Dictionary<Cell, double[]> _scores = File.Exists(path) ? File.ReadLines(path).Select(Parse).ToDictionary() : [];

    public double[]? this[Cell cell] => _scores.GetValueOrDefault(cell);

    public void Add(Cell cell, double[] scores)
    {
        _scores.Add(cell, scores);
        File.AppendAllText(path, string.Join('\t', [cell.Model, $"{cell.Base}", $"{cell.Pairs}", $"{cell.Rank}", .. scores.Select(score => score.ToString("F2", CultureInfo.InvariantCulture))]) + "\n");
    }

    private static (Cell, double[]) Parse(string line)
    {
        string[] row = line.Split('\t');
        var cell = new Cell(row[0], Enum.Parse<BloomCompute>(row[1]), int.Parse(row[2], CultureInfo.InvariantCulture), int.Parse(row[3], CultureInfo.InvariantCulture));
        return (cell, [.. row[4..].Select(score => double.Parse(score, CultureInfo.InvariantCulture))]);
    }
}
