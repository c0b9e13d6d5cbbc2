using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;

namespace Lacos.Cli.Commands;

/// <summary>The options that put scores into a model: files that <c>lacos eval --json</c> wrote, or one in the form of <see cref="ModelScores"/>.</summary>
internal sealed class ScoreOptions
{
    private static readonly string[] Splits = ["dev", "test", "train"];

    private readonly Option<string?> _scores = new("--scores") { Description = "Scores to keep with the model: what 'lacos eval --json' wrote, or JSON as in docs/formats.md", HelpName = "path" };
    private readonly Option<string?> _before = new("--scores-before") { Description = "What 'lacos eval --json' wrote for the model before fine-tuning", HelpName = "path" };
    private readonly Option<string[]> _language = new("--language") { Description = "Language of a set whose name does not tell; may be repeated. Default: the part like 'en' in stsb-en-test", HelpName = "set=code" };
    private readonly Option<double?> _weak = new("--weak-below") { Description = "Spearman below which a language is called weak, from -1 to 1. Default: 0.6", HelpName = "score" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _scores, _before, _language, _weak })
        {
            command.Options.Add(option);
        }
        ModelOptions.Bounded(_weak, value => value is >= -1 and <= 1, "from -1 to 1");
        command.Validators.Add(result =>
        {
            if (result.GetResult(_scores) is null && (result.GetResult(_before) ?? result.GetResult(_language) ?? result.GetResult(_weak)) is not null)
            {
                result.AddError("--scores-before, --language and --weak-below go with --scores. Add it.");
            }
        });
    }

    /// <summary>The files that the command line names.</summary>
    public IEnumerable<string?> Paths(ParseResult parse) => [parse.GetValue(_scores), parse.GetValue(_before)];

    /// <summary>The scores that the command line names; <see langword="null"/> for none.</summary>
    public ModelScores? Read(ParseResult parse)
    {
        if (parse.GetValue(_scores) is not string path)
        {
            return null;
        }
        string text = ReadText(path);
        ModelScores scores = IsEvaluation(text) ? OfEvaluation(text, path, parse) : ModelScores.Parse(text, path);
        scores = parse.GetValue(_weak) is double weak ? scores with { WeakBelow = weak } : scores;

        // Through the file's form and back: what could not be read from the model is refused here.
        return ModelScores.Parse(scores.Write(), path);
    }

    private ModelScores OfEvaluation(string text, string path, ParseResult parse)
    {
        var languages = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string entry in parse.GetValue(_language) ?? [])
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            languages[equals > 0 ? entry[..equals] : throw new UsageException($"--language is '{entry}'. Write it as set=code, for example own-pairs=en.")] = entry[(equals + 1)..];
        }
        Dictionary<string, (int Pairs, double? Score)> before = parse.GetValue(_before) is string earlier ? Sets(ReadText(earlier), earlier) : [];
        return new ModelScores(
        [
            .. Sets(text, path).Select(set => new SetScore(
                languages.GetValueOrDefault(set.Key) ?? LanguageOf(set.Key), set.Key, set.Value.Pairs, before.TryGetValue(set.Key, out (int, double? Score) old) ? old.Score : null, set.Value.Score)),
        ]);
    }

    /// <summary>The language in a set's name: its first part of two or three small letters after a hyphen.</summary>
    internal static string LanguageOf(string set) =>
        set.Split('-').Skip(1).FirstOrDefault(part => part.Length is 2 or 3 && part.All(char.IsAsciiLetterLower) && !Splits.Contains(part))
        ?? throw new UsageException($"The name of the set '{set}' does not tell its language. Say it with --language {set}=code.");

    private static bool IsEvaluation(string text) => text.Contains("\"cosine_spearman\"", StringComparison.Ordinal) && text.Contains("\"fingerprint\"", StringComparison.Ordinal);

    private static Dictionary<string, (int Pairs, double? Score)> Sets(string text, string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            var sets = new Dictionary<string, (int, double?)>(StringComparer.Ordinal);
            foreach (JsonElement set in json.RootElement.GetProperty("sets").EnumerateArray())
            {
                JsonElement score = set.GetProperty("cosine_spearman");
                sets[set.GetProperty("name").GetString()!] = (set.GetProperty("pairs").GetInt32(), score.ValueKind == JsonValueKind.Null ? null : score.GetDouble());
            }
            return sets;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            throw new InvalidDataException($"'{path}' is not what 'lacos eval --json' writes: {error.Message}", error);
        }
    }

    private static string ReadText(string path)
    {
        const int Largest = 1 << 24;
        if (!File.Exists(path))
        {
            throw new ToolException($"There is no file '{path}' of scores. Write one with 'lacos eval --json'.");
        }
        long length = new FileInfo(path).Length;
        return length <= Largest ? File.ReadAllText(path) : throw new ToolException(string.Create(CultureInfo.InvariantCulture, $"'{path}' has {length:N0} bytes, too many for scores. Name the file that 'lacos eval --json' wrote."));
    }
}
