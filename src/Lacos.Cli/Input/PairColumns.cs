using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>Chooses the columns of two sentences and of people's score for them.</summary>
internal static class PairColumns
{
    private static readonly string[][] Sentences = [["sentence1", "sentence2"], ["text1", "text2"]];
    private static readonly string[] Labels = ["score", "label", "similarity_score"];

    /// <summary>The columns the user named; else the usual names.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columns">Three names or numbers with commas between them, or <see langword="null"/>.</param>
    /// <returns>Indices of first sentence, second sentence, label.</returns>
    /// <exception cref="UsageException">It cannot be told which columns are meant.</exception>
    public static int[] Choose(RecordReader records, string? columns)
    {
        if (columns is not null)
        {
            string[] names = columns.Split(',', StringSplitOptions.TrimEntries);
            return names.Length == 3
                ? [.. names.Select(records.Find)]
                : throw new UsageException($"--columns is '{columns}', {names.Length} name(s). Give three with commas between them: first sentence, second sentence, score.");
        }
        int label = records.IndexOf(Labels);
        foreach (string[] pair in Sentences)
        {
            int first = records.IndexOf(pair[0]);
            int second = records.IndexOf(pair[1]);
            if (first >= 0 && second >= 0 && label >= 0)
            {
                return [first, second, label];
            }
        }
        throw new UsageException(
            $"{records.File.DisplayName} has {records.ListColumns()}; 'sentence1', 'sentence2' (or 'text1', 'text2') and 'score' (or 'label') are not among them. Say which to take with --columns A,B,SCORE.");
    }
}
