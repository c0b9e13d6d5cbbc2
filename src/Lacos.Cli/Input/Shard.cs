using System.Globalization;
using System.Text.Json.Nodes;

namespace Lacos.Cli.Input;

/// <summary>One of several parts of equal size that the rows of an input are taken apart into, each for a run of its own.</summary>
/// <param name="Number">Which part, from 1 to <paramref name="Count"/>.</param>
/// <param name="Count">Parts, 1 to <see cref="Most"/>.</param>
internal sealed record Shard(int Number, int Count)
{
    /// <summary>Most parts; their numbers have five digits in names of files, so that names sort as the rows do.</summary>
    public const int Most = 99_999;

    /// <summary>Reads <c>i/n</c>.</summary>
    /// <returns><see langword="null"/> where it is not of that form, or out of range.</returns>
    public static Shard? Parse(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && number >= 1 && number <= count && count <= Most
            ? new Shard(number, count)
            : null;
    }

    /// <summary>The rows of this part: contiguous, and in no part more than one row more than in another.</summary>
    /// <param name="rows">Rows of the input.</param>
    /// <returns>The first row, from 0, and the one after the last.</returns>
    public (long First, long End) RowsOf(long rows) => (Start(rows, Number - 1), Start(rows, Number));

    /// <summary>Name of the part's file: <c>vectors-00003-of-00007.npy</c> of <c>vectors.npy</c>.</summary>
    public string PathFor(string path)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(path)}-{Number:00000}-of-{Count:00000}{Path.GetExtension(path)}");
        return Path.Combine(Path.GetDirectoryName(path) ?? "", name);
    }

    /// <summary>The part, under the names used in every file the tool writes.</summary>
    /// <param name="rows">Rows of the input.</param>
    public JsonObject Describe(long rows) => new() { ["shard"] = ToString(), ["first_row"] = RowsOf(rows).First, ["input_rows"] = rows };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    // The remainder goes to the first parts, one row each.
    private long Start(long rows, int part) => (rows / Count * part) + Math.Min(rows % Count, part);
}
