using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Lacos.Cli.Tests.Mining;

/// <summary>Pairs as <c>lacos mine</c> should have read them: the columns that are carried over, and each row's values, anchor and positive.</summary>
internal sealed record MinedPairs(IReadOnlyList<string> Columns, IReadOnlyList<(string?[] Values, string Anchor, string Positive)> Rows)
{
    /// <summary>Distinct second texts in the order of their first rows.</summary>
    public string[] Texts => [.. Rows.Select(row => row.Positive).Distinct(StringComparer.Ordinal)];

    public static MinedPairs Of(MiningCase @case)
    {
        string[] replaced = [.. NegativeNames(@case.Negatives)];
        (int anchor, int positive) = @case.Pair;
        int[] carried = [.. Enumerable.Range(0, @case.Columns.Count).Where(column => !replaced.Contains(@case.Columns[column].Trim(), StringComparer.OrdinalIgnoreCase))];
        return new MinedPairs(
            [.. carried.Select(column => @case.Columns[column])],
            [.. @case.Rows.Where(row => !string.IsNullOrWhiteSpace(row[anchor]) && !string.IsNullOrWhiteSpace(row[positive])).Select(row => ((string?[])[.. carried.Select(column => row[column])], row[anchor]!, row[positive]!))]);
    }

    public static IEnumerable<string> NegativeNames(int negatives) =>
        negatives == 1 ? ["negative"] : Enumerable.Range(1, negatives).Select(number => string.Create(CultureInfo.InvariantCulture, $"negative_{number}"));
}

/// <summary>What the output of <c>lacos mine</c> must be, worked out from the vectors by comparing everything with everything.</summary>
internal sealed class MinedRules(MiningCase @case, MinedPairs pairs, Func<string, float[]> anchorVector, Func<string, float[]> textVector)
{
    // Of sums in fp32 in another order than here.
    private const double Tolerance = 2e-5;

    private readonly string[] _texts = pairs.Texts;
    private readonly Dictionary<string, double[]> _cosines = new(StringComparer.Ordinal);

    /// <summary>Checks a whole output.</summary>
    public void Check(string path, string where)
    {
        (string[] header, List<string?[]> rows) = Read(path);
        string[] negatives = [.. MinedPairs.NegativeNames(@case.Negatives)];
        bool isTsv = path.Contains(".tsv", StringComparison.Ordinal);
        if (isTsv)
        {
            CollectionAssert.AreEqual(pairs.Columns.Concat(negatives).ToArray(), header, where);
        }
        int next = 0;
        foreach ((string?[] values, string anchor, string positive) in pairs.Rows)
        {
            bool isNext = next < rows.Count && rows[next].Take(values.Length).SequenceEqual(isTsv ? [.. values.Select(value => value ?? "")] : values);
            (int fewest, int most) = Candidates(anchor);
            if (isNext && most >= @case.Negatives)
            {
                CheckNegatives(anchor, rows[next][values.Length..], $"{where}: '{anchor}', '{positive}'");
                next++;
            }
            else
            {
                Assert.IsLessThan(@case.Negatives, fewest, $"{where}: the row of '{anchor}' and '{positive}' is not there");
            }
        }
        Assert.HasCount(next, rows, where);
    }

    private void CheckNegatives(string anchor, string?[] negatives, string where)
    {
        double[] cosines = Cosines(anchor);
        Assert.HasCount(@case.Negatives, negatives, where);
        Assert.HasCount(negatives.Length, negatives.Distinct(StringComparer.Ordinal).ToArray(), $"{where}: one twice");
        HashSet<string> own = [.. pairs.Rows.Where(row => row.Anchor == anchor).Select(row => row.Positive)];
        double[] possible = [.. Possible(anchor, Tolerance).Select(text => cosines[text]).OrderDescending()];
        int depth = @case.Skip + (@case.Range ?? @case.Negatives);
        double last = double.PositiveInfinity;
        for (int place = 0; place < negatives.Length; place++)
        {
            string negative = negatives[place]!;
            int text = Array.IndexOf(_texts, negative);
            Assert.IsTrue(text >= 0, $"{where}: '{negative}' is no text of the file");
            Assert.IsFalse(own.Contains(negative) || negative == anchor, $"{where}: '{negative}' belongs to the anchor");
            double cosine = cosines[text];
            Assert.IsTrue(cosine <= Ceiling(anchor) + Tolerance && cosine >= (@case.MinimumScore ?? -2) - Tolerance, $"{where}: '{negative}' has {cosine}");
            Assert.IsTrue(cosine <= last + Tolerance, $"{where}: '{negative}' is not in order");
            last = cosine;

            // Of all that may be within the bounds, so many are at least as similar as the last that can be chosen; those skipped are more similar, or the bounds decide within rounding.
            Assert.IsLessThan(depth, possible.Count(other => other > cosine + Tolerance) - Doubtful(anchor), $"{where}: '{negative}' is too far down");
            Assert.IsGreaterThanOrEqualTo(@case.Skip + place + 1, possible.Count(other => other >= cosine - Tolerance), $"{where}: '{negative}' should have been skipped");
            if (@case.Range is null || @case.Range == @case.Negatives)
            {
                Assert.IsLessThanOrEqualTo(@case.Skip + place + Doubtful(anchor), possible.Count(other => other > cosine + Tolerance), $"{where}: '{negative}' is not the next one");
            }
        }
    }

    private (int Fewest, int Most) Candidates(string anchor) => (Possible(anchor, -Tolerance).Count() - @case.Skip, Possible(anchor, Tolerance).Count() - @case.Skip);

    private int Doubtful(string anchor) => Possible(anchor, Tolerance).Count() - Possible(anchor, -Tolerance).Count();

    private IEnumerable<int> Possible(string anchor, double tolerance)
    {
        double[] cosines = Cosines(anchor);
        double ceiling = Ceiling(anchor) + tolerance, floor = (@case.MinimumScore ?? -2) - tolerance;
        HashSet<string> own = [.. pairs.Rows.Where(row => row.Anchor == anchor).Select(row => row.Positive), anchor];
        return Enumerable.Range(0, _texts.Length).Where(text => cosines[text] <= ceiling && cosines[text] >= floor && !own.Contains(_texts[text]));
    }

    private double Ceiling(string anchor)
    {
        double[] cosines = Cosines(anchor);
        double least = pairs.Rows.Where(row => row.Anchor == anchor).Min(row => cosines[Array.IndexOf(_texts, row.Positive)]);
        return new[] { @case.MaximumScore ?? 2, least - (Math.Abs(least) * @case.RelativeMargin), @case.AbsoluteMargin is double margin ? least - margin : 2 }.Min();
    }

    private double[] Cosines(string anchor)
    {
        if (!_cosines.TryGetValue(anchor, out double[]? cosines))
        {
            double[] one = Unit(anchorVector(anchor));
            _cosines[anchor] = cosines = [.. _texts.Select(text => Unit(textVector(text)).Zip(one, (a, b) => a * b).Sum())];
        }
        return cosines;
    }

    private static double[] Unit(float[] vector)
    {
        double norm = Math.Sqrt(vector.Sum(value => (double)value * value));
        return [.. vector.Select(value => norm > 0 ? value / norm : 0)];
    }

    private static (string[] Header, List<string?[]> Rows) Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (path.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var unpacked = new MemoryStream();
            using (var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress))
            {
                gzip.CopyTo(unpacked);
            }
            bytes = unpacked.ToArray();
        }
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        Assert.IsTrue(text.Length == 0 || text.EndsWith('\n'));
        string[] lines = text.Split('\n')[..^1];
        if (path.Contains(".tsv", StringComparison.Ordinal))
        {
            string[][] fields = [.. lines.Select(line => line.Split('\t'))];
            return (fields[0], [.. fields.Skip(1)]);
        }
        return ([], [.. lines.Select(Values)]);
    }

    private static string?[] Values(string line)
    {
        using JsonDocument json = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
        return [.. json.RootElement.EnumerateObject().Select(property => property.Value.GetString())];
    }
}
