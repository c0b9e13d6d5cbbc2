using System.Globalization;

namespace Lacos.Cli.Input.Arrow;

/// <summary>How many parts columns have in a batch.</summary>
/// <param name="Nodes">Fields, those in fields among them.</param>
/// <param name="Buffers">Buffers, but for those of data that views point into.</param>
/// <param name="Views">Fields of views, each with a number of data buffers of its own in each batch.</param>
internal readonly record struct ArrowLayout(int Nodes, int Buffers, int Views)
{
    /// <summary>A column of indices into a dictionary.</summary>
    public static readonly ArrowLayout Indices = new(1, 2, 0);

    /// <summary>Of one field, without those in it.</summary>
    /// <param name="kind">Arrow's number of the type.</param>
    /// <param name="type">The type.</param>
    public static ArrowLayout Of(int kind, FlatTable type) => kind switch
    {
        // Null, and values with their run's end.
        1 or 22 => new ArrowLayout(1, 0, 0),

        // Structures, lists of one length.
        13 or 16 => new ArrowLayout(1, 1, 0),

        // Unions: sparse, dense.
        14 => new ArrowLayout(1, type.Short(0) == 0 ? 1 : 2, 0),

        // Byte strings and texts, views of lists.
        4 or 5 or 19 or 20 or 25 or 26 => new ArrowLayout(1, 3, 0),

        // Views of byte strings and of texts.
        23 or 24 => new ArrowLayout(1, 2, 1),

        // Numbers, truth values, times, byte strings of one length, lists, maps.
        >= 2 and <= 26 => new ArrowLayout(1, 2, 0),
        _ => throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a column is of type {kind}, which is not known")),
    };

    /// <summary>Both, one after the other.</summary>
    public static ArrowLayout operator +(ArrowLayout left, ArrowLayout right) => new(left.Nodes + right.Nodes, left.Buffers + right.Buffers, left.Views + right.Views);
}
