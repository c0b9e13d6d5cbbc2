using System.Globalization;

namespace Microsoft.ML.Lacos.Benchmarks.Results;

/// <summary>A column of numbers.</summary>
/// <param name="Name">Heading.</param>
/// <param name="Format">A .NET number format with its unit, such as <c>0.00 x</c>.</param>
/// <param name="IsPlotted">Whether the column is a series of bars in the table's picture.</param>
internal sealed record Column(string Name, string Format, bool IsPlotted = false)
{
    /// <summary>Something a second, a series of the picture.</summary>
    public static Column Rate(string name) => new(name, "#,0", IsPlotted: true);

    /// <summary>How many times.</summary>
    public static Column Ratio(string name = "ratio") => new(name, "0.00 x");

    /// <summary>A share, given as a fraction.</summary>
    public static Column Share(string name, bool isPlotted = false) => new(name, "0 %", isPlotted);

    /// <summary>Milliseconds, given as seconds, a series of the picture.</summary>
    public static Column Milliseconds(string name) => new(name, "0.00 ms", IsPlotted: true);

    /// <summary>A cell; a number that is none was not measured.</summary>
    /// <exception cref="InvalidOperationException">The number is not finite: a table must not hide a failed measurement.</exception>
    public string Cell(double? value) => value switch
    {
        null => "-",
        double number when !double.IsFinite(number) => throw new InvalidOperationException($"The column '{Name}' got {number}; a measurement failed."),
        double number => Shown(number).ToString(Format.Replace("%", "'%'", StringComparison.Ordinal).Replace("x", "'x'", StringComparison.Ordinal).Replace("ms", "'ms'", StringComparison.Ordinal), CultureInfo.InvariantCulture),
    };

    /// <summary>The number in the column's unit.</summary>
    public double Shown(double value) => Format.EndsWith('%') ? 100 * value : Format.EndsWith("ms", StringComparison.Ordinal) ? 1000 * value : value;
}
