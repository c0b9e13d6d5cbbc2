using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Training.Checkpoints;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary><c>train-log.jsonl</c>: one line of JSON a step.</summary>
internal sealed class TrainingLog : IDisposable
{
    private const int LongestLine = 1 << 16;

    private readonly string _path;
    private StreamWriter _writer;

    /// <param name="folder">Folder of the file.</param>
    /// <param name="lastStep">Lines of later steps, which a stopped run has left, are dropped; 0 starts anew.</param>
    public TrainingLog(string folder, long lastStep)
    {
        _path = Path.Combine(folder, RunFiles.Log);
        _writer = Begin(lastStep > 0 && File.Exists(_path) ? [.. Lines(_path).Where(line => StepOf(line) is long step && step > 0 && step <= lastStep)] : []);
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
            SetScore(line, spearman);
        }
        _writer.WriteLine(line.ToJsonString());
    }

    /// <summary>Adds the score to the line of a step whose evaluation was interrupted, if the line is there.</summary>
    public void Complete(long step, double spearman)
    {
        _writer.Dispose();
        _writer = Begin([.. Lines(_path).Select(line => StepOf(line) == step ? WithScore(line, spearman) : line)]);
    }

    public void Dispose() => _writer.Dispose();

    // Whole or not at all: a full disk must not take the lines that were there.
    private StreamWriter Begin(byte[][] lines)
    {
        AtomicFile.Write(_path, stream => Array.ForEach(lines, line => stream.Write([.. line, (byte)'\n'])));
        return new StreamWriter(_path, append: true) { NewLine = "\n", AutoFlush = true };
    }

    private static byte[] WithScore(byte[] line, double spearman)
    {
        JsonObject json = JsonNode.Parse(line)!.AsObject();
        SetScore(json, spearman);
        return JsonSerializer.SerializeToUtf8Bytes(json);
    }

    private static void SetScore(JsonObject line, double spearman) => line["spearman"] = double.IsFinite(spearman) ? spearman : null;

    // No line of a log is as long as the buffer: what is longer is damage, and passed over without being held.
    private static IEnumerable<byte[]> Lines(string path)
    {
        using FileStream file = File.OpenRead(path);
        var buffer = new byte[LongestLine];
        int filled = 0;
        bool isTooLong = false;
        for (int read = file.Read(buffer); read > 0; read = file.Read(buffer, filled, buffer.Length - filled))
        {
            filled += read;
            int start = 0;
            for (int end = Array.IndexOf(buffer, (byte)'\n', 0, filled); end >= 0; end = Array.IndexOf(buffer, (byte)'\n', start, filled - start))
            {
                if (!isTooLong)
                {
                    yield return buffer[start..end];
                }
                (start, isTooLong) = (end + 1, false);
            }
            filled -= start;
            Buffer.BlockCopy(buffer, start, buffer, 0, filled);
            if (filled == buffer.Length)
            {
                (filled, isTooLong) = (0, true);
            }
        }
        if (filled > 0 && !isTooLong)
        {
            yield return buffer[..filled];
        }
    }

    private static long? StepOf(byte[] line)
    {
        if (!Utf8.IsValid(line))
        {
            return null;
        }
        try
        {
            using JsonDocument json = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("step", out JsonElement step) && step.ValueKind == JsonValueKind.Number && step.TryGetInt64(out long number) ? number : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The last line of a killed run may be half a line; any other may be damaged.
            return null;
        }
    }
}
