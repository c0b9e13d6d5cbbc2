using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lacos.Cli.Input;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos embed</c>: a file of texts in, a file of vectors out, in constant memory.</summary>
internal sealed class EmbedCommand(ToolStreams streams, IModelSource source)
{
    private readonly InputOptions _input = new();
    private readonly ModelOptions _model = new();
    private readonly Option<string> _output = new("--output", "-o") { Description = "Vectors: .npy or .jsonl; - for .jsonl on standard output. A .json beside the file says what they are", HelpName = "path", Required = true };
    private readonly Option<string> _precision = ModelOptions.Choice("--precision", "Elements of the vectors", VectorPrecisions.Names);

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("embed", "Turn a file of texts into a file of vectors.");
        _input.AddTo(command);
        command.Options.Add(_output);
        command.Options.Add(_precision);
        _model.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string output = parse.GetRequiredValue(_output);
        CheckOutput(output);
        foreach (string written in output == InputFile.Standard ? [] : new[] { output, SideFile.PathFor(output) })
        {
            _model.RefuseOverwriting(written, parse, _input.Path(parse));
        }
        if (output != InputFile.Standard)
        {
            SideFile.RefuseOther(output);
        }
        VectorPrecision precision = VectorPrecisions.Parse(parse.GetRequiredValue(_precision));
        (RecordReader records, int column) = await _input.OpenAsync(parse, streams, cancellationToken).ConfigureAwait(false);
        using RecordReader opened = records;
        using LoadedModel model = _model.Open(parse, source);
        using VectorWriter writer = OpenWriter(output, model.Encoder.Dimension, precision);

        var clock = Stopwatch.StartNew();
        long longTexts = 0;
        await ProgressDisplay.RunAsync(streams, "Embedding", "texts", records.File.Length, async progress =>
        {
            float[] vectors = [];
            await foreach (TextWindow window in WindowReader.ReadAsync(records, [column], withPlaces: false, cancellationToken).ConfigureAwait(false))
            {
                int needed = checked(window.Count * model.Encoder.Dimension);
                vectors = vectors.Length >= needed ? vectors : new float[needed];
                longTexts += model.Encode(
                    window.Rows, vectors.AsSpan(0, needed), index => string.Create(CultureInfo.InvariantCulture, $"Text {writer.Count + index} of {records.File.DisplayName}, counted from 0,"), cancellationToken);
                writer.Write(window.Rows, vectors.AsSpan(0, needed));
                progress.Report(writer.Count, window.EndPosition);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (output != InputFile.Standard)
        {
            // Before the vectors have their name: whenever the process is killed, no description stands beside other vectors.
            SideFile.Remove(output);
        }
        writer.Complete();
        if (output != InputFile.Standard)
        {
            SideFile.Write(output, Describe(model, precision, writer.Count));
        }
        Report(records.File, model, writer.Count, longTexts, clock.Elapsed);
        return ExitCode.Success;
    }

    private static void CheckOutput(string output)
    {
        if (output != InputFile.Standard && Path.GetExtension(output).ToLowerInvariant() is not (".npy" or ".jsonl"))
        {
            throw new UsageException($"Vectors cannot be written to '{output}': its name ends in neither .npy nor .jsonl. Give it one of these, or - for .jsonl on standard output.");
        }
    }

    private VectorWriter OpenWriter(string output, int dimension, VectorPrecision precision)
    {
        if (output == InputFile.Standard)
        {
            return JsonLinesWriter.ToStream(streams.Output, dimension, precision);
        }
        return Path.GetExtension(output).Equals(".npy", StringComparison.OrdinalIgnoreCase)
            ? new NpyWriter(output, dimension, precision)
            : JsonLinesWriter.ToFile(output, dimension, precision);
    }

    private static JsonObject Describe(LoadedModel model, VectorPrecision precision, long rows)
    {
        var content = new JsonObject { ["rows"] = rows, ["dimension"] = model.Encoder.Dimension, ["precision"] = precision.Name() };
        foreach (KeyValuePair<string, JsonNode?> fact in model.Facts.ToJson())
        {
            content[fact.Key] = fact.Value?.DeepClone();
        }
        return content;
    }

    private void Report(InputFile file, LoadedModel model, long count, long longTexts, TimeSpan elapsed)
    {
        InputOptions.WarnOfEncoding(file, streams);
        if (longTexts > 0)
        {
            streams.Note(string.Create(CultureInfo.InvariantCulture, $"{longTexts:N0} text(s) had more than {model.Facts.MaximumTokenCount} tokens (--long-text {model.Facts.LongText})."));
        }
        double rate = count / Math.Max(elapsed.TotalSeconds, 1e-3);
        streams.Note(string.Create(CultureInfo.InvariantCulture, $"{count:N0} texts, {model.Encoder.Dimension} dimensions, {elapsed.TotalSeconds:N1} s, {rate:N0} texts/s ({TextInMessage.Of(model.Facts.Name)}, {model.Facts.Engine})"));
    }
}
