using System.Text.Json;

namespace Lacos.Cli.Curves;

/// <summary>A step as the training log has it.</summary>
/// <param name="Step">Number of the step.</param>
/// <param name="Loss">Its loss.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Spearman">Spearman of an evaluation after it, where there was one.</param>
internal readonly record struct LogPoint(long Step, double Loss, double LearningRate, double? Spearman)
{
    /// <summary>Reads a log; lines that are none, such as the half line of a killed run, are passed over.</summary>
    public static List<LogPoint> Read(string path)
    {
        var points = new List<LogPoint>();
        foreach (string line in File.ReadLines(path))
        {
            try
            {
                using JsonDocument json = JsonDocument.Parse(line);
                JsonElement root = json.RootElement;
                double? spearman = root.TryGetProperty("spearman", out JsonElement score) && score.ValueKind == JsonValueKind.Number ? score.GetDouble() : null;
                points.Add(new LogPoint(root.GetProperty("step").GetInt64(), root.GetProperty("loss").GetDouble(), root.GetProperty("learning_rate").GetDouble(), spearman));
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                continue;
            }
        }
        return points;
    }
}
