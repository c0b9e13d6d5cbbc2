using System.Globalization;

namespace Study;

/// <summary>One Markdown row a cell: the means before and after.</summary>
internal static class Table
{
    public static string Header =>
        """
        | question | model | base | pairs | rank | STS-B before | after | STS12-14 before | after | gain of both |
        |---|---|---|---:|---:|---:|---:|---:|---:|---:|
        """;

    public static string Row(string question, Cell cell, double[] before, double[] after, int languages)
    {
        (double sts, double years) = Means(before, languages);
        (double tunedSts, double tunedYears) = Means(after, languages);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {question} | {cell.Model} | {cell.Base} | {cell.PairsName} | {cell.Rank} | {sts:F1} | {tunedSts:F1} | {years:F1} | {tunedYears:F1} | {(tunedSts + tunedYears - sts - years) / 2:+0.0;-0.0} |");
    }

    /// <summary>Mean of the STS-B tests, which come first, and mean of the others.</summary>
    public static (double Sts, double Years) Means(double[] scores, int languages) => (scores[..languages].Average(), scores[languages..].Average());
}
