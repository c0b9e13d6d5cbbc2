namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>The order in which a pass over a data set takes its rows, decided by seed and pass alone.</summary>
/// <remarks>
/// Without groups each row comes once. With groups, such as languages, a group of n rows gets a share in proportion to n to the power of an exponent, spread evenly over the pass;
/// within a group each row comes once before any comes again, in this pass or the next. The shuffle is <see cref="SplitMix64"/>'s, so that it is the same in every version of .NET.
/// </remarks>
internal sealed class RowOrder
{
    private readonly int _rows;
    private readonly int _seed;
    private readonly int[][] _groups = [];
    private readonly byte[]? _turns;
    private readonly long[] _turnsOfGroup = [];

    /// <param name="rows">Rows of the data set.</param>
    /// <param name="seed">Decides the order.</param>
    /// <param name="groups">Number of each row's group, from 0; null for none.</param>
    /// <param name="power">Exponent of a group's rows in its share.</param>
    public RowOrder(int rows, int seed, int[]? groups = null, double power = 1)
    {
        (_rows, _seed) = (rows, seed);
        if (groups is null)
        {
            return;
        }
        _groups = [.. Enumerable.Range(0, rows).GroupBy(row => groups[row]).OrderBy(group => group.Key).Select(group => group.ToArray())];
        if (_groups.Length > MostGroups)
        {
            throw new InvalidDataException($"The column that balances the rows has {_groups.Length} different values; at most {MostGroups} can be balanced. Name a column of languages or topics.");
        }
        (_turns, _turnsOfGroup) = Turns([.. _groups.Select(group => Math.Pow(group.Length, power))], rows);
    }

    /// <summary>Groups that can be balanced.</summary>
    public const int MostGroups = 256;

    /// <summary>Rows of a pass.</summary>
    public int[] Of(int pass)
    {
        if (_turns is null)
        {
            return Shuffled([.. Enumerable.Range(0, _rows)], 0, pass);
        }
        var taken = new long[_groups.Length];
        var shuffled = new int[_groups.Length][];
        for (int group = 0; group < _groups.Length; group++)
        {
            taken[group] = pass * _turnsOfGroup[group];
        }
        var order = new int[_rows];
        for (int i = 0; i < order.Length; i++)
        {
            int group = _turns[i];
            int[] rows = _groups[group];
            (long round, long place) = Math.DivRem(taken[group]++, rows.Length);
            if (place == 0 || shuffled[group] is null)
            {
                shuffled[group] = Shuffled([.. rows], group + 1, (int)round);
            }
            order[i] = shuffled[group][place];
        }
        return order;
    }

    // Each turn goes to the group that is furthest behind its share.
    private static (byte[] Turns, long[] Counts) Turns(double[] weights, int rows)
    {
        double[] shares = Shares.Of(weights);
        var turns = new byte[rows];
        var counts = new long[weights.Length];
        for (int turn = 0; turn < rows; turn++)
        {
            int best = Shares.FurthestBehind(shares, turn + 1, counts);
            turns[turn] = (byte)best;
            counts[best]++;
        }
        return (turns, counts);
    }

    private int[] Shuffled(int[] rows, int stream, int round)
    {
        new SplitMix64(((ulong)(uint)_seed << 32) ^ (uint)round ^ ((ulong)stream * 0xD1342543DE82EF95)).Shuffle<int>(rows);
        return rows;
    }
}
