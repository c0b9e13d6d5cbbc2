namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Turns by share: whose turn it is depends on the number of the turn alone.</summary>
internal static class Shares
{
    /// <summary>Each weight's share of all.</summary>
    public static double[] Of(double[] weights)
    {
        double sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    /// <summary>The one that is furthest behind its share; of several that are equally far, the first. A checkpoint is continued by this rule, ties included.</summary>
    /// <param name="shares">Shares, which add up to 1.</param>
    /// <param name="turn">Number of the turn, from 1.</param>
    /// <param name="taken">Turns that each has had.</param>
    public static int FurthestBehind(double[] shares, long turn, long[] taken)
    {
        int best = 0;
        double most = double.NegativeInfinity;
        for (int i = 0; i < shares.Length; i++)
        {
            double behind = (shares[i] * turn) - taken[i];
            if (behind > most)
            {
                (best, most) = (i, behind);
            }
        }
        return best;
    }
}
