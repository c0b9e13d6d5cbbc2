using System.Globalization;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>What of a pair a loss needs, and so which columns a file must have.</summary>
internal enum PairNeeds
{
    /// <summary>Two sentences, and a hard negative where there is one.</summary>
    Sentences,

    /// <summary>Two sentences and a label.</summary>
    Label,

    /// <summary>One sentence, and a second where there is one.</summary>
    OneSentence,
}

/// <summary>Which columns of a file hold training pairs: indices, or null where there is none.</summary>
internal sealed record TrainingColumns(int First, int? Second, IReadOnlyList<int> Negatives, int? Label, int? Group)
{
    private static readonly (string First, string[] Second)[] Pairs = [("sentence1", ["sentence2"]), ("text1", ["text2"]), ("anchor", ["positive", "entailment"])];
    private static readonly string[] NegativeNames = ["negative", "hard_negative", "contradiction"];
    private static readonly string[] Labels = ["score", "label", "similarity_score"];
    private static readonly string[] Texts = ["text", "sentence"];
    private static readonly string[] Singles = ["text", "sentence", "sentence1", "text1", "anchor"];

    /// <summary>Whether <see cref="First"/> holds texts and <see cref="Group"/> their classes, of which pairs are yet to be made.</summary>
    public bool HasClasses { get; private init; }

    /// <summary>The columns in use, in the order of the record.</summary>
    public int[] Indices => [.. new[] { First, Second }.OfType<int>(), .. Negatives, .. new[] { Label, Group }.OfType<int>()];

    /// <summary>The columns the user named; else the usual names.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columns">Names or numbers, or <see langword="null"/>.</param>
    /// <param name="group">Column whose values are balanced; null for none.</param>
    /// <param name="needs">What the loss needs.</param>
    /// <param name="advice">What to do where the usual names are not there.</param>
    /// <exception cref="UsageException">It cannot be told which columns are meant.</exception>
    public static TrainingColumns Choose(RecordReader records, IReadOnlyList<string>? columns, string? group, PairNeeds needs, string advice = "Say which to take with --columns.")
    {
        int? balanced = group is null ? null : records.Find(group);
        return (columns is null ? Usual(records, needs, advice) : Named(records, columns, needs)) with { Group = balanced };
    }

    /// <summary>The usual columns of texts and their classes; null where they are not there, or those of pairs are.</summary>
    /// <param name="records">The file.</param>
    public static TrainingColumns? OfClasses(RecordReader records) =>
        UsualPair(records).First < 0 && records.IndexOf(Texts) is int text and >= 0 && records.IndexOf("label") is int label and >= 0 ? OfClasses(text, label) : null;

    /// <summary>Columns of texts and their classes that the user named.</summary>
    /// <param name="records">The file.</param>
    /// <param name="classes">Name or number of the column with classes.</param>
    /// <param name="columns">The column with texts; null for the usual one, or the only other.</param>
    /// <exception cref="UsageException">It cannot be told which columns are meant.</exception>
    public static TrainingColumns OfClasses(RecordReader records, string classes, IReadOnlyList<string>? columns)
    {
        int label = records.Find(classes);
        int text = columns switch
        {
            [string name] => records.Find(name),
            not null => throw new UsageException($"The columns are '{string.Join(',', columns)}', {columns.Count} names, and --class-column is '{classes}'. Name the one column with the texts in --columns."),
            _ when records.IndexOf(Texts) is int usual and >= 0 => usual,
            _ when records.Columns.Count == 2 => 1 - label,
            _ => throw new UsageException($"{records.File.DisplayName} has {records.ListColumns()}, and the texts are looked for in 'text'. Say which column has them with --columns."),
        };
        return text != label ? OfClasses(text, label) : throw new UsageException($"The texts and their classes are both in the column '{RecordReader.InMessage(records.Columns[text])}' of {records.File.DisplayName}. Name another in --columns or --class-column.");
    }

    /// <summary>The usual columns of scored pairs.</summary>
    /// <param name="records">A file of <c>--eval</c>, for which no columns can be named.</param>
    /// <exception cref="UsageException">They are not there.</exception>
    public static TrainingColumns OfEvaluation(RecordReader records) => Usual(records, PairNeeds.Label, "Rename its columns to sentence1, sentence2, score.");

    private static TrainingColumns OfClasses(int text, int label) => new(text, null, [], null, label) { HasClasses = true };

    private static TrainingColumns Named(RecordReader records, IReadOnlyList<string> columns, PairNeeds needs)
    {
        (bool fits, string wanted) = needs switch
        {
            PairNeeds.Label => (columns.Count == 3, "This loss needs three: first sentence, second sentence, label."),
            PairNeeds.OneSentence => (columns.Count is 1 or 2, "Give one or two: a sentence, its translation."),
            _ => (
                columns.Count >= 2 && columns.Count - 2 <= TrainingPair.MostNegatives,
                $"Give at least two: first sentence, second sentence, then up to {TrainingPair.MostNegatives} hard negatives."),
        };
        if (!fits)
        {
            throw new UsageException($"The columns are '{string.Join(',', columns)}', {columns.Count} name(s). {wanted}");
        }
        int[] found = [.. columns.Select(records.Find)];
        return new TrainingColumns(found[0], found.Length > 1 ? found[1] : null, needs == PairNeeds.Label ? [] : found[Math.Min(2, found.Length)..], needs == PairNeeds.Label ? found[2] : null, null);
    }

    private static TrainingColumns Usual(RecordReader records, PairNeeds needs, string advice)
    {
        (int First, int Second) pair = UsualPair(records);
        if (pair.First < 0 && needs == PairNeeds.OneSentence && records.IndexOf(Singles) is int single and >= 0)
        {
            return new TrainingColumns(single, null, [], null, null);
        }
        int? label = needs == PairNeeds.Label ? Present(records.IndexOf(Labels)) : null;
        if (pair.First < 0 || (needs == PairNeeds.Label && label is null))
        {
            string wanted = needs == PairNeeds.Label ? " and 'score' (or 'label')" : "";
            throw new UsageException(
                $"{records.File.DisplayName} has {records.ListColumns()}; 'sentence1', 'sentence2' (or 'text1', 'text2', or 'anchor', 'positive'){wanted} are not among them. {advice}");
        }
        return new TrainingColumns(pair.First, pair.Second, needs == PairNeeds.Sentences ? UsualNegatives(records) : [], label, null);
    }

    private static (int First, int Second) UsualPair(RecordReader records) =>
        Pairs.Select(names => (records.IndexOf(names.First), records.IndexOf(names.Second))).FirstOrDefault(found => found.Item1 >= 0 && found.Item2 >= 0, (-1, -1));

    // All columns under the usual names, and negative_1, negative_2, ... as lacos mine writes them beside what a file had.
    private static int[] UsualNegatives(RecordReader records)
    {
        int[] found =
        [
            .. NegativeNames.Select(name => records.IndexOf(name)).Where(index => index >= 0),
            .. Enumerable.Range(1, int.MaxValue - 1).Select(number => records.IndexOf(string.Create(CultureInfo.InvariantCulture, $"negative_{number}"))).TakeWhile(index => index >= 0),
        ];
        return found.Length <= TrainingPair.MostNegatives
            ? found
            : throw new UsageException($"{records.File.DisplayName} has {found.Length} columns of hard negatives; at most {TrainingPair.MostNegatives} can be used. Name the wanted columns with --columns.");
    }

    private static int? Present(int index) => index >= 0 ? index : null;
}
