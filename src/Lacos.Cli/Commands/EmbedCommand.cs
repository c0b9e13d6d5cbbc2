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
    private readonly Option<string> _output = new("--output", "-o") { Description = $"Vectors: {VectorOutput.Endings}; - for standard output. A .json beside the file says what they are", HelpName = "path", Required = true };
    private readonly Option<string> _outputFormat = ModelOptions.Choice("--output-format", "Format of standard output, with --output -: JSON lines or an Arrow stream", VectorOutput.StandardFormats);
    private readonly ShardOptions _shard = new();
    private readonly Option<string> _precision = ModelOptions.Choice("--precision", "Elements of the vectors", VectorPrecisions.Names);

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("embed", "Turn a file of texts into a file of vectors.");
        _input.AddTo(command);
        command.Options.Add(_output);
        command.Options.Add(_outputFormat);
        command.Options.Add(_precision);
        _shard.AddTo(command);
        _model.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        Shard? shard = _shard.Of(parse, _input.Path(parse));
        string output = Output(parse, shard);
        VectorPrecision precision = VectorPrecisions.Parse(parse.GetRequiredValue(_precision));
        (RecordReader records, int column) = await _input.OpenAsync(parse, streams, cancellationToken, isHashed: shard is not null).ConfigureAwait(false);
        using RecordReader opened = records;
        using LoadedModel model = _model.Open(parse, source);
        if (shard is null)
        {
            return await WriteAsync(new Part(records, column, 0, null, null, null), model, parse, output, cancellationToken).ConfigureAwait(false);
        }
        InputSurvey survey = await SurveyAsync(records, column, cancellationToken).ConfigureAwait(false);
        (long first, long end) = shard.RowsOf(survey.Rows);
        JsonObject content = Add(Describe(model, precision, end - first), [.. shard.Describe(survey.Rows), .. _input.Describe(parse, column), .. survey.Describe()]);
        if (output != InputFile.Standard && !_shard.Force(parse) && WholeOutput.Is(output, content))
        {
            streams.Note($"'{output}' is there already, whole and made from this input with this model and these settings. --force makes it again.");
            return ExitCode.Success;
        }
        using var range = new RangeRecords((await _input.OpenAsync(parse, streams, cancellationToken).ConfigureAwait(false)).Records, first, end);
        return await WriteAsync(new Part(range, column, first, end - first, survey, content), model, parse, output, cancellationToken).ConfigureAwait(false);
    }

    private async Task<InputSurvey> SurveyAsync(RecordReader records, int column, CancellationToken cancellationToken)
    {
        InputSurvey? survey = null;
        await ProgressDisplay.RunAsync(
            streams, "Counting", "texts", records.File.Length,
            async progress => survey = await Task.Run(() => InputSurvey.Of(records, column, progress, cancellationToken), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        InputOptions.WarnOfEncoding(records.File, streams);
        return survey!;
    }

    private async Task<int> WriteAsync(Part part, LoadedModel model, ParseResult parse, string output, CancellationToken cancellationToken)
    {
        VectorPrecision precision = VectorPrecisions.Parse(parse.GetRequiredValue(_precision));
        RecordReader records = part.Records;
        using VectorWriter writer = VectorOutput.Open(output, (streams.Output, parse.GetRequiredValue(_outputFormat)), model.Encoder.Dimension, precision, () => Describe(model, precision, 0));
        var clock = Stopwatch.StartNew();
        long longTexts = 0;
        await ProgressDisplay.RunAsync(streams, "Embedding", "texts", part.Rows ?? records.File.Length, async progress =>
        {
            float[] vectors = [];
            await foreach (TextWindow window in WindowReader.ReadAsync(records, [part.Column], withPlaces: false, cancellationToken).ConfigureAwait(false))
            {
                int needed = checked(window.Count * model.Encoder.Dimension);
                vectors = vectors.Length >= needed ? vectors : new float[needed];
                longTexts += model.Encode(
                    window.Rows,
                    vectors.AsSpan(0, needed),
                    index => string.Create(CultureInfo.InvariantCulture, $"Text {part.First + writer.Count + index} of {records.File.DisplayName}, counted from 0,"),
                    cancellationToken);
                writer.Write(window.Rows, vectors.AsSpan(0, needed));
                progress.Report(writer.Count, part.Rows is null ? window.EndPosition : writer.Count);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        part.Survey?.RequireUnchanged();
        if (output == InputFile.Standard)
        {
            writer.Complete();
        }
        else
        {
            VectorOutput.Complete(writer, output, part.Content is JsonObject content ? () => WholeOutput.AddHash(output, content) : () => Describe(model, precision, writer.Count));
        }
        if (part.Survey is null)
        {
            InputOptions.WarnOfEncoding(records.File, streams);
        }
        Report(model, writer.Count, longTexts, clock.Elapsed);
        return ExitCode.Success;
    }

    // Where the vectors go, and a refusal of what they must not replace.
    private string Output(ParseResult parse, Shard? shard)
    {
        string named = parse.GetRequiredValue(_output);
        VectorOutput.RequireKnown(named);
        if (named != InputFile.Standard && parse.GetResult(_outputFormat) is { Implicit: false })
        {
            throw new UsageException($"--output-format is for --output -; the name '{named}' tells its format already. Leave it out.");
        }
        if (named == InputFile.Standard)
        {
            return _shard.Force(parse) ? throw new UsageException("--force has no effect with --output -, where nothing is kept. Leave it out.") : named;
        }
        string output = shard?.PathFor(named) ?? named;
        foreach (string written in new[] { output, SideFile.PathFor(output) })
        {
            _model.RefuseOverwriting(written, parse, _input.Path(parse));
        }
        SideFile.RefuseOther(output);
        return output;
    }

    private static JsonObject Describe(LoadedModel model, VectorPrecision precision, long rows) =>
        Add(new JsonObject { ["rows"] = rows, ["dimension"] = model.Encoder.Dimension, ["precision"] = precision.Name() }, model.Facts.ToJson());

    private static JsonObject Add(JsonObject content, IEnumerable<KeyValuePair<string, JsonNode?>> facts)
    {
        foreach (KeyValuePair<string, JsonNode?> fact in facts)
        {
            content[fact.Key] = fact.Value?.DeepClone();
        }
        return content;
    }

    private void Report(LoadedModel model, long count, long longTexts, TimeSpan elapsed)
    {
        if (longTexts > 0)
        {
            streams.Note(string.Create(CultureInfo.InvariantCulture, $"{longTexts:N0} text(s) had more than {model.Facts.MaximumTokenCount} tokens (--long-text {model.Facts.LongText})."));
        }
        double rate = count / Math.Max(elapsed.TotalSeconds, 1e-3);
        streams.Note(string.Create(CultureInfo.InvariantCulture, $"{count:N0} texts, {model.Encoder.Dimension} dimensions, {elapsed.TotalSeconds:N1} s, {rate:N0} texts/s ({TextInMessage.Of(model.Facts.Name)}, {model.Facts.Engine})"));
    }

    /// <summary>What one run encodes.</summary>
    /// <param name="Records">Its texts.</param>
    /// <param name="Column">Their column.</param>
    /// <param name="First">Row of the input that the first of them is, from 0.</param>
    /// <param name="Rows">How many they are; <see langword="null"/> where that is not known before the end.</param>
    /// <param name="Survey">Of the whole input; <see langword="null"/> where this is all of it.</param>
    /// <param name="Content">What the side file will say but for the hash; <see langword="null"/> where that is not known before the end.</param>
    private sealed record Part(RecordReader Records, int Column, long First, long? Rows, InputSurvey? Survey, JsonObject? Content);
}
