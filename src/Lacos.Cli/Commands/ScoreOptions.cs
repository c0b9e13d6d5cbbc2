using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;

namespace Lacos.Cli.Commands;

/// <summary>The options that put scores into a model: files that <c>lacos eval --json</c> wrote, or one in the form of <see cref="ModelScores"/>.</summary>
internal sealed class ScoreOptions(ToolStreams streams)
{
    // Words in names of data sets that are as short as the code of a language.
    private static readonly string[] Words = ["all", "dev", "mt", "new", "nli", "old", "own", "qa", "raw", "set", "sts", "tmp", "val"];

    private readonly Option<string?> _scores = new("--scores") { Description = "Scores to keep with the model: what 'lacos eval --json' wrote, or JSON as in docs/formats.md", HelpName = "path" };
    private readonly Option<string?> _before = new("--scores-before") { Description = "What 'lacos eval --json' wrote for the model before fine-tuning", HelpName = "path" };
    private readonly Option<string[]> _language = new("--language") { Description = "Language of a set whose name does not tell; may be repeated. Default: the part like 'en' in stsb-en-test or en/test", HelpName = "set=code" };
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
        if (scores.Sets.GroupBy(set => (set.Language, set.Set)).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw NamedTwice(path, twice.Key.Set);
        }
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
        Dictionary<string, (int Pairs, double? Score)> sets = Sets(text, path);
        string[] unnamed = [.. sets.Keys.Where(set => !languages.ContainsKey(set))];
        Array.ForEach(unnamed, set => languages[set] = LanguageOf(set));
        if (unnamed.Length > 0)
        {
            streams.Note($"Languages read from the names of sets: {string.Join(", ", unnamed.Select(set => $"{languages[set]} ({set})"))}. --language set=code says another.");
        }
        return new ModelScores(
        [
            .. sets.Select(set => new SetScore(languages[set.Key], set.Key, set.Value.Pairs, before.TryGetValue(set.Key, out (int, double? Score) old) ? old.Score : null, set.Value.Score)),
        ]);
    }

    /// <summary>The language in a set's name: its only part of two or three small letters that stands after a hyphen or names a folder, and is no word of data sets.</summary>
    /// <exception cref="UsageException">There is no such part, or there are several.</exception>
    internal static string LanguageOf(string set)
    {
        string[] levels = set.Split('/');
        IEnumerable<string> parts = levels[..^1].Where(level => !level.Contains('-', StringComparison.Ordinal)).Concat(levels.SelectMany(level => level.Split('-').Skip(1)));
        string[] found = [.. parts.Where(part => part.Length is 2 or 3 && part.All(char.IsAsciiLetterLower) && !Words.Contains(part)).Distinct(StringComparer.Ordinal)];
        return found switch
        {
            [string language] => language,
            [] => throw new UsageException($"The name of the set '{set}' does not tell its language. Say it with --language {set}=code."),
            _ => throw new UsageException($"The name of the set '{set}' could tell the languages {string.Join(", ", found)}. Say which it is with --language {set}=code."),
        };
    }

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
                string name = set.GetProperty("name").GetString()!;
                if (!sets.TryAdd(name, (set.GetProperty("pairs").GetInt32(), score.ValueKind == JsonValueKind.Null ? null : score.GetDouble())))
                {
                    throw NamedTwice(path, name);
                }
            }
            return sets;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            throw new InvalidDataException($"'{path}' is not what 'lacos eval --json' writes: {error.Message}", error);
        }
    }

    private static InvalidDataException NamedTwice(string path, string set) =>
        new($"'{path}' names the set '{set}' twice, and only one could be kept. Write it again with 'lacos eval --json', or give one of them another name.");

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
