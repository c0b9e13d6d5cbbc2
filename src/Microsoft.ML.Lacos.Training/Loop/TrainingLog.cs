using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Checkpoints;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary><c>train-log.jsonl</c>: one line of JSON a step.</summary>
internal sealed class TrainingLog : IDisposable
{
    private readonly StreamWriter _writer;

    /// <param name="folder">Folder of the file.</param>
    /// <param name="lastStep">Lines of later steps, which a stopped run has left, are dropped; 0 starts anew.</param>
    public TrainingLog(string folder, long lastStep)
    {
        string path = Path.Combine(folder, RunFiles.Log);
        string[] kept = lastStep > 0 && File.Exists(path) ? [.. File.ReadLines(path).Where(line => StepOf(line) is long step && step <= lastStep)] : [];

        // Whole or not at all: a full disk must not take the lines that were there.
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(string.Concat(kept.Select(line => line + "\n")))));
        _writer = new StreamWriter(path, append: true) { NewLine = "\n", AutoFlush = true };
    }

    public void Write(TrainingProgress progress)
    {
        var line = new JsonObject
        {
            ["step"] = progress.Step,
            ["loss"] = progress.Loss,
            ["learning_rate"] = progress.LearningRate,
            ["gradient_norm"] = progress.GradientNorm,
            ["sentences_per_second"] = Math.Round(progress.SentencesPerSecond, 1),
            ["dataset"] = progress.Dataset,
            ["time"] = DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture),
        };
        if (progress.Spearman is double spearman)
        {
            line["spearman"] = double.IsFinite(spearman) ? spearman : null;
        }
        _writer.WriteLine(line.ToJsonString());
    }

    public void Dispose() => _writer.Dispose();

    private static long? StepOf(string line)
    {
        try
        {
            return JsonNode.Parse(line, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })?["step"]?.GetValue<long>();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            // The last line of a killed run may be half a line; any other may be damaged.
            return null;
        }
    }
}
