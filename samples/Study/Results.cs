using System.Globalization;
using Microsoft.ML.Lacos.Bloom;

namespace Study;

/// <summary>Scores of the cells made so far, kept in a file so that a run that was cut short goes on where it was.</summary>
internal sealed class Results
{
    private readonly string _path;
    private readonly Dictionary<Cell, double[]> _scores;

    /// <summary>Opens or begins a file; its first line says what all cells have in common.</summary>
    public Results(string path, string common)
    {
        _path = path;
        if (!File.Exists(path))
        {
            File.WriteAllText(path, common + "\n");
        }
        string[] lines = File.ReadAllLines(path);
        if (lines[0] != common)
        {
            throw new InvalidDataException($"'{path}' has results of '{lines[0]}', and this run is '{common}'. Give --output another folder, or remove the file.");
        }
        _scores = lines.Skip(1).Select(Parse).ToDictionary();
    }

    public double[]? this[Cell cell] => _scores.GetValueOrDefault(cell);

    public void Add(Cell cell, double[] scores)
    {
        _scores.Add(cell, scores);
        File.AppendAllText(_path, string.Join('\t', [cell.Model, $"{cell.Base}", $"{cell.Pairs}", $"{cell.Rank}", .. scores.Select(score => score.ToString("F2", CultureInfo.InvariantCulture))]) + "\n");
    }

    private static (Cell, double[]) Parse(string line)
    {
        string[] row = line.Split('\t');
        var cell = new Cell(row[0], Enum.Parse<BloomCompute>(row[1]), int.Parse(row[2], CultureInfo.InvariantCulture), int.Parse(row[3], CultureInfo.InvariantCulture));
        return (cell, [.. row[4..].Select(score => double.Parse(score, CultureInfo.InvariantCulture))]);
    }
}
