using System.Globalization;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;

namespace Lacos.Cli.Input;

/// <summary>A value of <c>--data</c>: a path, and after commas what is special about this data set, such as <c>nli.tsv.gz,loss=mnr,weight=2</c>.</summary>
internal sealed class DataArgument
{
    /// <summary>The losses by the names they have on the command line.</summary>
    public static readonly IReadOnlyList<(string Name, TrainingLoss Loss)> Losses =
    [
        ("mnr", TrainingLoss.MultipleNegativesRanking), ("cosent", TrainingLoss.CoSent), ("angle", TrainingLoss.Angle), ("cosine", TrainingLoss.CosineSimilarity),
        ("contrastive", TrainingLoss.Contrastive), ("softmax", TrainingLoss.Softmax), ("mse", TrainingLoss.MeanSquaredError),
    ];

    private static readonly string[] Keys =
        ["loss", "weight", "loss-weight", "scale", "margin", "directions", "batch-size", "columns", "balance", "balance-power", "teacher", "rows"];

    // What a number must be; a comparison with NaN is false.
    private static readonly Dictionary<string, (Predicate<double> Fits, string Expected)> Ranges = new(StringComparer.Ordinal)
    {
        ["weight"] = (value => value > 0, "a positive number"),
        ["loss-weight"] = (value => value > 0, "a positive number"),
        ["scale"] = (value => value > 0, "a positive number"),
        ["margin"] = (value => value is > 0 and <= 2, "a number above 0 and at most 2"),
        ["balance-power"] = (value => value is >= 0 and <= 1, "a number from 0, each value as often as any other, to 1, as in the data"),
    };

    private readonly string _text;
    private readonly Dictionary<string, string> _values;

    private DataArgument(string text, string path, Dictionary<string, string> values) => (_text, Path, _values) = (text, path, values);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The loss; null for the run's.</summary>
    public TrainingLoss? Loss => Value("loss") is not string name
        ? null
        : Losses.FirstOrDefault(entry => entry.Name == name) is { Name: not null } found ? found.Loss : throw Refused("loss", string.Join(", ", Losses.Select(entry => entry.Name)));

    /// <summary>Whether both directions are asked for; null for the run's.</summary>
    public bool? BothDirections => Value("directions") switch { null => null, "both" => true, "one" => false, _ => throw Refused("directions", "one or both") };

    /// <summary>Columns, separated by <c>+</c>; null for the run's or the usual ones.</summary>
    public string[]? Columns => Value("columns")?.Split('+', StringSplitOptions.TrimEntries);

    /// <summary>Column whose values are balanced; null for none.</summary>
    public string? Balance => Value("balance");

    /// <summary>The teacher's model; null for none.</summary>
    public string? Teacher => Value("teacher");

    /// <summary>Splits a value at its commas; what has the form of a setting at its end is one, all before it is the path. The whole text where a file is named so.</summary>
    /// <exception cref="UsageException">A setting is unknown, without a value or given twice.</exception>
    public static DataArgument Parse(string text)
    {
        if (File.Exists(text))
        {
            return new DataArgument(text, text, []);
        }
        string[] parts = text.Split(',');
        int first = parts.Length;
        while (first > 1 && parts[first - 1].Contains('=', StringComparison.Ordinal))
        {
            first--;
        }
        string path = string.Join(',', parts.Take(first));
        if (first > 1 && Keys.Contains(parts[first - 1].Trim(), StringComparer.Ordinal) && !File.Exists(path))
        {
            throw new UsageException($"--data '{text}' has the setting '{parts[first - 1].Trim()}' without a value. Write it as {parts[first - 1].Trim()}=VALUE.");
        }
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in parts.Skip(first))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (!Keys.Contains(pair[0], StringComparer.Ordinal))
            {
                throw new UsageException($"--data '{text}' has the setting '{pair[0]}'. The settings are {string.Join(", ", Keys)}.");
            }
            if (!values.TryAdd(pair[0], pair[1]))
            {
                throw new UsageException($"--data '{text}' has the setting '{pair[0]}' twice. Leave one out.");
            }
        }
        return new DataArgument(text, path, values);
    }

    /// <summary>A setting that is a number; null where it is not given.</summary>
    /// <exception cref="UsageException">It is none, or out of its range.</exception>
    public double? Number(string key) => Value(key) is not string text
        ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && Ranges[key].Fits(value) ? value : throw Refused(key, Ranges[key].Expected);

    /// <summary>A setting that is a whole number from 1; null where it is not given.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public int? WholeNumber(string key) => Value(key) is not string text
        ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0 ? value : throw Refused(key, "a whole number from 1");

    private string? Value(string key) => _values.GetValueOrDefault(key);

    private UsageException Refused(string key, string expected) => new($"--data '{_text}' has {key} '{Value(key)}'; it must be {expected}.");
}
