using System.Globalization;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Commands;

/// <summary>A model's scores by language: before and after fine-tuning, weak languages marked.</summary>
internal static class LanguageTable
{
    /// <summary>Lines of the table; none where the model carries no scores, one that says so where they are damaged.</summary>
    public static IEnumerable<string> Lines(LacosModel model)
    {
        ModelScores? scores;
        try
        {
            scores = ModelScores.Of(model);
        }
        catch (InvalidDataException error)
        {
            return [$"scores       damaged: {TextInMessage.Of(error.Message)}"];
        }
        return scores is null || scores.Sets.Count == 0 ? [] : Lines(scores);
    }

    private static IEnumerable<string> Lines(ModelScores scores)
    {
        List<string[]> rows = [.. scores.Sets.GroupBy(set => set.Language, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => Row(group.Key, [.. group], scores.WeakBelow))];
        if (rows.Count > 1)
        {
            rows.Add(Row("all", scores.Sets, double.NegativeInfinity));
        }
        string weak = (100 * scores.WeakBelow).ToString("0.##", CultureInfo.InvariantCulture);
        return
        [
            "",
            $"Spearman x100 of the cosine, mean of each language's sets; weak: below {weak}",
            .. TextTable.Lines(["language", "sets", "pairs", "before", "after", "change", "note"], [false, true, true, true, true, true, false], rows),
        ];
    }

    private static string[] Row(string language, IReadOnlyList<SetScore> sets, double weakBelow)
    {
        double? before = Mean(sets, set => set.Before);
        double? after = Mean(sets, set => set.After);
        return
        [
            language, sets.Count.ToString(CultureInfo.InvariantCulture), sets.Sum(set => (long)set.Pairs).ToString("N0", CultureInfo.InvariantCulture), Hundredfold(before), Hundredfold(after),
            before is double from && after is double to ? (100 * (to - from)).ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture) : "", (after ?? before) < weakBelow ? "weak" : "",
        ];
    }

    // Only over sets that all have the score: a mean over some of them would not be comparable.
    private static double? Mean(IReadOnlyList<SetScore> sets, Func<SetScore, double?> score) => sets.All(set => score(set) is not null) ? sets.Average(score) : null;

    private static string Hundredfold(double? score) => score is double value ? (100 * value).ToString("F2", CultureInfo.InvariantCulture) : "";
}
