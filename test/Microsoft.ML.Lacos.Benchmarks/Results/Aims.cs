using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Benchmarks.Results;

/// <summary>What the project aims at beside what this run reached. Tables add to it; it is written after all of them.</summary>
internal static class Aims
{
    private static readonly List<(string Label, double Aim, double Reached, double Share)> s_aims = [];

    /// <summary>The instruction set that runs, on which some aims depend.</summary>
    public static string Kernels { get; } = NativeInfo.Get().ChosenKernel ?? "scalar";

    /// <summary>Adds an aim that more is better for.</summary>
    /// <param name="what">Of what, in which unit.</param>
    /// <param name="aim">The least that is wanted; nothing where the instruction set has no such aim.</param>
    /// <param name="reached">What was measured; what was not measured is left out.</param>
    public static void AtLeast(string what, double? aim, double? reached)
    {
        if (aim is double least && reached is double value)
        {
            s_aims.Add(($"{what}, at least", least, value, value / least));
        }
    }

    /// <summary>Adds an aim that less is better for.</summary>
    /// <param name="what">Of what, in which unit.</param>
    /// <param name="aim">The most that is wanted.</param>
    /// <param name="reached">What was measured; what was not measured is left out.</param>
    public static void AtMost(string what, double aim, double? reached)
    {
        if (reached is double value)
        {
            s_aims.Add(($"{what}, at most", aim, value, aim / value));
        }
    }

    /// <summary>Writes them as a table, if there are any.</summary>
    public static void Write()
    {
        if (s_aims.Count == 0)
        {
            return;
        }
        var table = new ResultTable("aims", "What is aimed at, and what this run reached", "aim", new Column("aim", "0.00"), new Column("reached", "0.00"), Column.Share("of the aim"));
        foreach ((string label, double aim, double reached, double share) in s_aims)
        {
            table.Add(label, aim, reached, share);
        }
        table.Note($"{s_aims.Count(aim => aim.Share >= 1)} of {s_aims.Count} are met: those with 100 % of the aim or more.");
        table.Write();
    }
}
