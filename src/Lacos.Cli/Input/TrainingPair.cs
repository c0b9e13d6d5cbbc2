using System.Globalization;

namespace Lacos.Cli.Input;

/// <summary>A row of training or validation data, as ML.NET reads it.</summary>
internal sealed class TrainingPair
{
    public string Sentence1 { get; set; } = "";

    public string Sentence2 { get; set; } = "";

    public string Negative { get; set; } = "";

    public float Label { get; set; }

    /// <summary>Reads all rows of a file.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="leftOut">How many rows lack a text and are left out.</param>
    /// <param name="cancellationToken">Checked row by row.</param>
    /// <exception cref="InvalidDataException">A label is no number; the message names the line.</exception>
    public static List<TrainingPair> Read(RecordReader records, TrainingColumns columns, out int leftOut, CancellationToken cancellationToken)
    {
        var pairs = new List<TrainingPair>();
        var values = new string?[columns.Indices.Length];
        int texts = columns.HasNegative ? 3 : 2;
        leftOut = 0;
        while (records.Read(columns.Indices, values))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Array.FindIndex(values, 0, texts, string.IsNullOrWhiteSpace) >= 0)
            {
                leftOut++;
                continue;
            }
            pairs.Add(new TrainingPair
            {
                Sentence1 = values[0] ?? "",
                Sentence2 = values[1] ?? "",
                Negative = columns.HasNegative ? values[2] ?? "" : "",
                Label = columns.HasLabel ? ParseLabel(values[2], records.Place) : 0,
            });
        }
        return pairs;
    }

    private static float ParseLabel(string? text, string place) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float label) && float.IsFinite(label)
            ? label
            : throw new InvalidDataException($"{place} has the label '{text}', which is no number. Correct it, or say which column holds the labels with --columns A,B,LABEL.");
}
