using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Input;
using Lacos.Cli.Models;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Evaluation;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos eval</c>: how well a model's similarities agree with people's, set by set.</summary>
internal sealed class EvalCommand(ToolStreams streams, IModelSource source)
{
    private static readonly JsonSerializerOptions JsonOptions = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // More is no column of languages or topics but of texts or numbers, and each set would be a pair or two.
    private const int MostParts = 1000;

    private readonly ModelOptions _model = new();
    private readonly PromptOptions _secondPrompt = PromptOptions.OfSecond("Text put before every second sentence");

    private readonly Option<string[]> _data = new("--data", "-d")
    {
        Description = "Sets of sentence pairs with scores: .tsv, .csv or .jsonl, each also with .gz; .parquet; .arrow, .arrows, .feather", HelpName = "path", Required = true, AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _columns = new("--columns") { Description = "First sentence, second sentence, score; names or numbers from 0. Default: sentence1,sentence2,score and the like", HelpName = "a,b,score" };
    private readonly Option<string?> _by = new("--by") { Description = "Column whose values, such as languages or topics, each make a set of their own: name or number from 0", HelpName = "column" };
    private readonly Option<string?> _json = new("--json") { Description = "Write all metrics to a file too; - writes them to standard output instead of the table", HelpName = "path" };
    private readonly Option<string?> _format = InputOptions.FormatOption();
    private readonly Option<bool> _noHeader = InputOptions.NoHeaderOption();

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("eval", "Correlate the cosine of sentence pairs with people's scores (semantic textual similarity).");
        command.Options.Add(_data);
        command.Options.Add(_columns);
        command.Options.Add(_by);
        command.Options.Add(_json);
        command.Options.Add(_format);
        command.Options.Add(_noHeader);
        _model.AddTo(command, _secondPrompt);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        string[] paths = parse.GetRequiredValue(_data);
        string? json = parse.GetValue(_json);
        if (json is not null)
        {
            _model.RefuseOverwriting(json, parse, paths);
        }
        string[] names = SetNames.Of(paths);
        await LookAtAsync(paths, parse, cancellationToken).ConfigureAwait(false);
        using PendingFile? file = json is null or InputFile.Standard ? null : PendingFile.Create(json, standard: "--json -");
        using LoadedModel model = _model.Open(parse, source);
        using LoadedModel? second = _secondPrompt.Second(parse, model);
        var results = new List<SimilarityResult>();
        foreach ((string path, string name) in paths.Zip(names))
        {
            results.AddRange(await EvaluateAsync(path, name, parse, model, second, cancellationToken).ConfigureAwait(false));
        }
        RefuseOneNameForTwo(results);
        if (json is not null)
        {
            WriteJson(file, model, second, results);
        }
        if (json != InputFile.Standard)
        {
            WriteTable(results);
        }
        return ExitCode.Success;
    }

    // All of them before the first is encoded: the last may not be there, or lack a column. What can be read only once is left for its turn.
    private async Task LookAtAsync(string[] paths, ParseResult parse, CancellationToken cancellationToken)
    {
        foreach (string path in paths.Where(path => path != InputFile.Standard && FileStatus.SpecialKind(path) is null))
        {
            using RecordReader records = await OpenAsync(path, parse, cancellationToken).ConfigureAwait(false);
            Columns(records, parse);
        }
    }

    private Task<RecordReader> OpenAsync(string path, ParseResult parse, CancellationToken cancellationToken) =>
        RecordReader.OpenAsync(() => RecordReader.Open(path, parse.GetValue(_format), !parse.GetValue(_noHeader), streams.Input), cancellationToken);

    private int[] Columns(RecordReader records, ParseResult parse)
    {
        int[] columns = PairColumns.Choose(records, parse.GetValue(_columns));
        return parse.GetValue(_by) is string by ? [.. columns, records.Find(by)] : columns;
    }

    private async Task<SimilarityResult[]> EvaluateAsync(string path, string name, ParseResult parse, LoadedModel model, LoadedModel? second, CancellationToken cancellationToken)
    {
        using RecordReader records = await OpenAsync(path, parse, cancellationToken).ConfigureAwait(false);
        int[] columns = Columns(records, parse);
        var parts = new OrderedDictionary<string, SimilarityScores>(StringComparer.Ordinal);
        long count = 0;
        await ProgressDisplay.RunAsync(streams, name, "pairs", records.File.Length, async progress =>
        {
            await foreach (TextWindow window in WindowReader.ReadAsync(records, columns, withPlaces: true, cancellationToken).ConfigureAwait(false))
            {
                AddWindow(window, columns.Length, model, second, parts, cancellationToken);
                count += window.Count;
                progress.Report(count, window.EndPosition);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        InputOptions.WarnOfEncoding(records.File, streams);
        if (parts.Values.Sum(scores => scores.MissingLabelCount) is long missing and > 0)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{missing:N0} pair(s) of {records.File.DisplayName} have no score and are left out."));
        }
        SimilarityResult[] results = [.. parts.Where(part => part.Value.Count > 0).Select(part => new SimilarityResult(part.Key.Length > 0 ? $"{part.Key}/{name}" : name, path, part.Value.ToMetrics()))];
        return results.Length > 0 ? results : throw new InvalidDataException($"{records.File.DisplayName} has no pairs with a score. Give a file with some, or leave it out.");
    }

    // A window has the columns of sentences and score and, where a file is taken apart, the one it is taken apart by.
    private static void AddWindow(TextWindow window, int width, LoadedModel model, LoadedModel? second, OrderedDictionary<string, SimilarityScores> parts, CancellationToken cancellationToken)
    {
        int dimension = model.Encoder.Dimension;
        var texts = new string?[2 * window.Count];
        var labels = new double[window.Count];
        for (int i = 0; i < window.Count; i++)
        {
            texts[2 * i] = window.Rows[width * i];
            texts[(2 * i) + 1] = window.Rows[(width * i) + 1];
            labels[i] = ParseLabel(window.Rows[(width * i) + 2], window.Places[i]);
        }
        SimilarityScores[] scores = [.. Enumerable.Range(0, window.Count).Select(i => PartOf(width > 3 ? window.Rows[(width * i) + 3] : null, width > 3, window.Places[i], parts))];
        float[] vectors = second is null ? Encode(model, texts, index => window.Places[index / 2], cancellationToken) : EncodeApart(model, second, texts, window.Places, cancellationToken);
        for (int i = 0; i < window.Count; i++)
        {
            scores[i].Add<float>(labels[i], vectors.AsSpan(2 * i * dimension, dimension), vectors.AsSpan(((2 * i) + 1) * dimension, dimension));
        }
    }

    private static float[] EncodeApart(LoadedModel first, LoadedModel second, string?[] texts, string[] places, CancellationToken cancellationToken)
    {
        int dimension = first.Encoder.Dimension;
        var vectors = new float[texts.Length * dimension];
        for (int side = 0; side < 2; side++)
        {
            float[] some = Encode(side == 0 ? first : second, [.. texts.Where((_, i) => i % 2 == side)], index => places[index], cancellationToken);
            for (int i = 0; i < texts.Length / 2; i++)
            {
                some.AsSpan(i * dimension, dimension).CopyTo(vectors.AsSpan(((2 * i) + side) * dimension));
            }
        }
        return vectors;
    }

    private static float[] Encode(LoadedModel model, string?[] texts, Func<int, string> place, CancellationToken cancellationToken)
    {
        var vectors = new float[texts.Length * model.Encoder.Dimension];
        model.Encode(texts, vectors, place, cancellationToken);
        return vectors;
    }

    private static SimilarityScores PartOf(string? value, bool isTakenApart, string place, OrderedDictionary<string, SimilarityScores> parts)
    {
        string part = PrintableText.Of(value ?? "").Trim();
        if (isTakenApart && part.Length == 0)
        {
            throw new InvalidDataException($"{place} has nothing in the column of --by, so that it is not known to which set it belongs. Fill it in, or leave the row out.");
        }
        if (!parts.TryGetValue(part, out SimilarityScores? scores))
        {
            parts[part] = parts.Count < MostParts ? scores = new SimilarityScores() : throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{place} has the {MostParts + 1:N0}th value in the column of --by. Name a column of languages, topics or the like."));
        }
        return scores;
    }

    private static void RefuseOneNameForTwo(List<SimilarityResult> results)
    {
        if (results.GroupBy(result => result.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var name })
        {
            throw new InvalidDataException($"Two sets would be called '{name}'. Give one of the files another name.");
        }
    }

    /// <summary>A score; one that is not there is NaN.</summary>
    private static double ParseLabel(string? text, string place)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return double.NaN;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double label) && !double.IsInfinity(label)
            ? label
            : throw new InvalidDataException($"{place} has the score '{text}', which is no number. Correct it, or say which column holds the scores with --columns A,B,SCORE.");
    }

    private void WriteTable(List<SimilarityResult> results)
    {
        List<string[]> rows = [.. results.Select(result => Row(result.Name, result.Metrics.Count, result.Metrics.CosineSpearman, result.Metrics.CosinePearson))];
        if (results.Count > 1)
        {
            rows.Add(Row("mean", results.Sum(result => result.Metrics.Count), Mean(results, metrics => metrics.CosineSpearman), Mean(results, metrics => metrics.CosinePearson)));
        }
        foreach (string line in TextTable.Lines(["set", "pairs", "Spearman x100", "Pearson x100"], [false, true, true, true], rows))
        {
            streams.WriteLine(line);
        }
    }

    private void WriteJson(PendingFile? file, LoadedModel model, LoadedModel? second, List<SimilarityResult> results)
    {
        JsonObject content = model.Facts.ToJson();
        if (second is not null)
        {
            content["second_prompt"] = second.Facts.Prompt;
        }
        content["dimension"] = model.Encoder.Dimension;
        content["sets"] = new JsonArray([.. results.Select(result => (JsonNode)result.ToJson())]);
        content["mean"] = new JsonObject
        {
            ["pairs"] = results.Sum(result => result.Metrics.Count),
            ["cosine_spearman"] = SimilarityResult.Number(Mean(results, metrics => metrics.CosineSpearman)),
            ["cosine_pearson"] = SimilarityResult.Number(Mean(results, metrics => metrics.CosinePearson)),
        };
        if (file is null)
        {
            streams.WriteLine(content.ToJsonString(JsonOptions));
            return;
        }
        file.Stream.Write(JsonSerializer.SerializeToUtf8Bytes(content, JsonOptions));
        file.Stream.WriteByte((byte)'\n');
        file.Commit();
    }

    /// <summary>Mean over the sets, each counting the same; undefined where one of them is.</summary>
    private static double Mean(List<SimilarityResult> results, Func<SentenceSimilarityMetrics, double> metric) => results.Average(result => metric(result.Metrics));

    private static string[] Row(string name, long pairs, double spearman, double pearson) =>
        [name, pairs.ToString("N0", CultureInfo.InvariantCulture), Hundredfold(spearman), Hundredfold(pearson)];

    private static string Hundredfold(double correlation) => double.IsNaN(correlation) ? "undefined" : (100 * correlation).ToString("F2", CultureInfo.InvariantCulture);
}
