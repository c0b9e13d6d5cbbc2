using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>How well a model does on one set of sentence pairs.</summary>
/// <param name="Language">Code of the language, for example <c>en</c>.</param>
/// <param name="Set">Name of the set.</param>
/// <param name="Pairs">Pairs in it.</param>
/// <param name="Before">Spearman of the cosine before fine-tuning, from -1 to 1; <see langword="null"/> where it is not known.</param>
/// <param name="After">Spearman of the cosine of this model; <see langword="null"/> where it is not known.</param>
public sealed record SetScore(string Language, string Set, int Pairs, double? Before, double? After);

/// <summary>Scores by language that a model carries in its provenance, under <see cref="ModelProvenance.Scores"/>.</summary>
/// <param name="Sets">A line a set.</param>
/// <param name="WeakBelow">A language whose mean is below this is called weak; from -1 to 1.</param>
/// <remarks>Two are equal where their sets are, in their order.</remarks>
public sealed record ModelScores(IReadOnlyList<SetScore> Sets, double WeakBelow = ModelScores.DefaultWeakBelow)
{
    /// <summary>Spearman below which a language is weak unless the file says otherwise.</summary>
    public const double DefaultWeakBelow = 0.6;

    /// <summary>A line a set.</summary>
    public IReadOnlyList<SetScore> Sets { get; init => field = value ?? throw new ArgumentNullException(nameof(Sets)); } = Sets ?? throw new ArgumentNullException(nameof(Sets));

    private const int MostSets = 1000;
    private const int LongestName = 100;

    /// <summary>The scores that a model carries; <see langword="null"/> for none.</summary>
    /// <exception cref="InvalidDataException">What it carries is damaged.</exception>
    public static ModelScores? Of(LacosModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Provenance.TryGetValue(ModelProvenance.Scores, out string? json) ? Parse(json, ModelProvenance.Scores) : null;
    }

    /// <summary>Reads scores.</summary>
    /// <param name="json">An object with <c>sets</c> and perhaps <c>weak_below</c>.</param>
    /// <param name="where">Name for messages.</param>
    /// <exception cref="InvalidDataException">The text is no such object, has more than 1,000 sets, a name longer than 100 characters or not printable, or a score outside -1 to 1.</exception>
    public static ModelScores Parse(string json, string where)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(where);
        using JsonDocument document = JsonFile.Parse(Encoding.UTF8.GetBytes(json), where);
        JsonElement root = document.RootElement;
        JsonElement sets = JsonFile.Optional(root, "sets", where) ?? throw new InvalidDataException($"'{where}' has no 'sets'. Write a list of sets with language, set, pairs, before and after.");
        JsonFile.Require(sets, JsonValueKind.Array, $"{where}: sets");
        return sets.GetArrayLength() <= MostSets
            ? new ModelScores([.. sets.EnumerateArray().Select(set => Set(set, $"{where}: sets"))], Score(root, "weak_below", where) ?? DefaultWeakBelow)
            : throw new InvalidDataException($"'{where}' has {sets.GetArrayLength()} sets, at most {MostSets} are kept. Leave some out.");
    }

    /// <summary>Writes scores as <see cref="Parse"/> reads them, byte for byte the same each time.</summary>
    /// <exception cref="InvalidDataException">They are such as <see cref="Parse"/> refuses.</exception>
    public string Write()
    {
        string json = ToJson();
        _ = Parse(json, nameof(ModelScores));
        return json;
    }

    /// <summary>Whether the sets and the bound are the same.</summary>
    /// <param name="other">Other scores.</param>
    public bool Equals(ModelScores? other) => other is not null && WeakBelow.Equals(other.WeakBelow) && Sets.SequenceEqual(other.Sets);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(WeakBelow, Sets.Count, Sets.Count > 0 ? Sets[0] : null);

    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);

    private string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("metric", "cosine_spearman");
            WriteScore(json, "weak_below", WeakBelow);
            json.WriteStartArray("sets");
            foreach (SetScore set in Sets)
            {
                json.WriteStartObject();
                json.WriteString("language", set.Language);
                json.WriteString("set", set.Set);
                json.WriteNumber("pairs", set.Pairs);
                WriteScore(json, "before", set.Before);
                WriteScore(json, "after", set.After);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static SetScore Set(JsonElement set, string where) => new(
        Name(set, "language", where),
        Name(set, "set", where),
        JsonFile.Integer(set, "pairs", where) is { } pairs and >= 0 ? pairs : throw new InvalidDataException($"'{where}' has a set without its number of 'pairs'. Add it."),
        Score(set, "before", where),
        Score(set, "after", where));

    private static string Name(JsonElement set, string key, string where) => JsonFile.String(set, key, where) switch
    {
        null => throw new InvalidDataException($"'{where}' has a set without '{key}'. Add it."),
        { Length: > 0 and <= LongestName } name when !name.Any(char.IsControl) => name,
        { } name => throw new InvalidDataException($"'{where}: {key}' has {name.Length} characters, expected 1 to {LongestName} that can be printed. Shorten it."),
    };

    private static double? Score(JsonElement element, string key, string where) => JsonFile.Optional(element, key, where) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out double score) && score is >= -1 and <= 1 => score,
        { } value => throw JsonFile.Wrong(value, $"{where}: {key}", "a number from -1 to 1"),
    };

    private static void WriteScore(Utf8JsonWriter json, string key, double? score)
    {
        if (score is double value)
        {
            if (!double.IsFinite(value))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{key}' is {value}, expected a number from -1 to 1. Correct it, or leave out what is not known."));
            }
            json.WriteNumber(key, value);
        }
        else
        {
            json.WriteNull(key);
        }
    }
}
