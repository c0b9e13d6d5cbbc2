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

namespace Lacos.Cli.Commands;

/// <summary><c>lacos eval</c>: how well a model's similarities agree with people's, set by set.</summary>
internal sealed class EvalCommand(ToolStreams streams, IModelSource source)
{
    private static readonly JsonSerializerOptions JsonOptions = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ModelOptions _model = new();

    private readonly Option<string[]> _data = new("--data", "-d")
    {
        Description = "Sets of sentence pairs with scores: .tsv, .csv or .jsonl, each also with .gz", HelpName = "path", Required = true, AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _columns = new("--columns") { Description = "First sentence, second sentence, score; names or numbers from 0. Default: sentence1,sentence2,score and the like", HelpName = "a,b,score" };
    private readonly Option<string?> _json = new("--json") { Description = "Write all metrics to a file too; - writes them to standard output instead of the table", HelpName = "path" };
    private readonly Option<string?> _format = InputOptions.FormatOption();
    private readonly Option<bool> _noHeader = InputOptions.NoHeaderOption();

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("eval", "Correlate the cosine of sentence pairs with people's scores (semantic textual similarity).");
        command.Options.Add(_data);
        command.Options.Add(_columns);
        command.Options.Add(_json);
        command.Options.Add(_format);
        command.Options.Add(_noHeader);
        _model.AddTo(command);
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
        using LoadedModel model = _model.Open(parse, source);
        var results = new List<SimilarityResult>();
        foreach ((string path, string name) in paths.Zip(names))
        {
            results.Add(await EvaluateAsync(path, name, parse, model, cancellationToken).ConfigureAwait(false));
        }
        if (json is not null)
        {
            WriteJson(json, model, results);
        }
        if (json != InputFile.Standard)
        {
            WriteTable(results);
        }
        return ExitCode.Success;
    }

    private async Task<SimilarityResult> EvaluateAsync(string path, string name, ParseResult parse, LoadedModel model, CancellationToken cancellationToken)
    {
        using RecordReader records = await RecordReader.OpenAsync(
            () => RecordReader.Open(path, parse.GetValue(_format), !parse.GetValue(_noHeader), streams.Input), cancellationToken).ConfigureAwait(false);
        int[] columns = PairColumns.Choose(records, parse.GetValue(_columns));
        var scores = new SimilarityScores();
        await ProgressDisplay.RunAsync(streams, name, "pairs", records.File.Length, async progress =>
        {
            await foreach (TextWindow window in WindowReader.ReadAsync(records, columns, withPlaces: true, cancellationToken).ConfigureAwait(false))
            {
                AddWindow(window, model, scores, cancellationToken);
                progress.Report(scores.Count, window.EndPosition);
            }
        }).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        InputOptions.WarnOfEncoding(records.File, streams);
        if (scores.MissingLabelCount > 0)
        {
            streams.Warn(string.Create(CultureInfo.InvariantCulture, $"{scores.MissingLabelCount:N0} pair(s) of {records.File.DisplayName} have no score and are left out."));
        }
        return scores.Count > 0
            ? new SimilarityResult(name, path, scores.ToMetrics())
            : throw new InvalidDataException($"{records.File.DisplayName} has no pairs with a score. Give a file with some, or leave it out.");
    }

    private static void AddWindow(TextWindow window, LoadedModel model, SimilarityScores scores, CancellationToken cancellationToken)
    {
        int dimension = model.Encoder.Dimension;
        var texts = new string?[2 * window.Count];
        var labels = new double[window.Count];
        for (int i = 0; i < window.Count; i++)
        {
            texts[2 * i] = window.Rows[3 * i];
            texts[(2 * i) + 1] = window.Rows[(3 * i) + 1];
            labels[i] = ParseLabel(window.Rows[(3 * i) + 2], window.Places[i]);
        }
        var vectors = new float[texts.Length * dimension];
        model.Encode(texts, vectors, index => window.Places[index / 2], cancellationToken);
        for (int i = 0; i < window.Count; i++)
        {
            scores.Add<float>(labels[i], vectors.AsSpan(2 * i * dimension, dimension), vectors.AsSpan(((2 * i) + 1) * dimension, dimension));
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

    private void WriteJson(string path, LoadedModel model, List<SimilarityResult> results)
    {
        JsonObject content = model.Facts.ToJson();
        content["dimension"] = model.Encoder.Dimension;
        content["sets"] = new JsonArray([.. results.Select(result => (JsonNode)result.ToJson())]);
        content["mean"] = new JsonObject
        {
            ["pairs"] = results.Sum(result => result.Metrics.Count),
            ["cosine_spearman"] = SimilarityResult.Number(Mean(results, metrics => metrics.CosineSpearman)),
            ["cosine_pearson"] = SimilarityResult.Number(Mean(results, metrics => metrics.CosinePearson)),
        };
        if (path == InputFile.Standard)
        {
            streams.WriteLine(content.ToJsonString(JsonOptions));
            return;
        }
        using PendingFile file = PendingFile.Create(path, standard: "--json -");
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
