using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>Which columns of a file hold training pairs.</summary>
/// <param name="Indices">First sentence, second sentence, then the hard negative and the label where there are any.</param>
/// <param name="HasNegative">Whether there is a hard negative.</param>
/// <param name="HasLabel">Whether there is a label.</param>
internal sealed record TrainingColumns(int[] Indices, bool HasNegative, bool HasLabel)
{
    private static readonly string[] Positives = ["positive", "entailment"];
    private static readonly string[] Negatives = ["negative", "hard_negative", "contradiction"];
    private static readonly string[] Labels = ["score", "label", "similarity_score"];

    /// <summary>The columns the user named; else the usual names.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columns">Names or numbers with commas between them, or <see langword="null"/>.</param>
    /// <param name="needsLabel">Whether the loss needs labels; else a third column is a hard negative.</param>
    /// <exception cref="UsageException">It cannot be told which columns are meant.</exception>
    public static TrainingColumns Choose(RecordReader records, string? columns, bool needsLabel)
    {
        if (columns is not null)
        {
            string[] names = columns.Split(',', StringSplitOptions.TrimEntries);
            bool fits = needsLabel ? names.Length == 3 : names.Length is 2 or 3;
            return fits
                ? new TrainingColumns([.. names.Select(records.Find)], !needsLabel && names.Length == 3, needsLabel)
                : throw new UsageException($"--columns is '{columns}', {names.Length} name(s). {(needsLabel ? "This loss needs three: first sentence, second sentence, label." : "Give two or three: first sentence, second sentence, hard negative.")}");
        }
        (int First, int Second) pair = new[]
        {
            (records.IndexOf("sentence1"), records.IndexOf("sentence2")), (records.IndexOf("text1"), records.IndexOf("text2")), (records.IndexOf("anchor"), records.IndexOf(Positives)),
        }.FirstOrDefault(found => found.Item1 >= 0 && found.Item2 >= 0, (-1, -1));
        int third = needsLabel ? records.IndexOf(Labels) : records.IndexOf(Negatives);
        if (pair.First < 0 || (needsLabel && third < 0))
        {
            throw new UsageException(
                $"{records.File.DisplayName} has {records.ListColumns()}; 'sentence1', 'sentence2' (or 'text1', 'text2', or 'anchor', 'positive'){(needsLabel ? " and 'score' (or 'label')" : "")} are not among them. Say which to take with --columns.");
        }
        return third < 0
            ? new TrainingColumns([pair.First, pair.Second], false, false)
            : new TrainingColumns([pair.First, pair.Second, third], !needsLabel, needsLabel);
    }
}
