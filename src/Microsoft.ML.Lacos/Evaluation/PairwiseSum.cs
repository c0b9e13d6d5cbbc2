using System.Numerics;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>One summand made of an element of each of two vectors.</summary>
internal interface IPairTerm
{
    static abstract double Of(double x, double y);
}

/// <summary>Sums over two vectors by halving, in double.</summary>
/// <remarks>
/// The error grows with the logarithm of the length instead of the length. The order of additions is that of NumPy's sum over a contiguous axis
/// (eight interleaved partial sums up to 128 elements, halves at a multiple of eight above), for a reason of ranks: distances that are equal but for rounding
/// tie or not as they do in the reference, and a rank correlation shows the difference.
/// </remarks>
internal static class PairwiseSum
{
    private const int Lanes = 8;
    private const int Block = 128;

    /// <summary>Sum of the terms of two vectors of equal length.</summary>
    public static double Of<TTerm, T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right)
        where TTerm : struct, IPairTerm
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (left.Length > Block)
        {
            int half = left.Length / 2;
            half -= half % Lanes;
            return Of<TTerm, T>(left[..half], right[..half]) + Of<TTerm, T>(left[half..], right[half..]);
        }
        double sum = 0;
        int i = 0;
        if (left.Length >= Lanes)
        {
            Span<double> lanes = stackalloc double[Lanes];
            lanes.Clear();
            for (; i + Lanes <= left.Length; i += Lanes)
            {
                for (int lane = 0; lane < Lanes; lane++)
                {
                    lanes[lane] += Term<TTerm, T>(left[i + lane], right[i + lane]);
                }
            }
            sum = (lanes[0] + lanes[1] + (lanes[2] + lanes[3])) + (lanes[4] + lanes[5] + (lanes[6] + lanes[7]));
        }
        for (; i < left.Length; i++)
        {
            sum += Term<TTerm, T>(left[i], right[i]);
        }
        return sum;
    }

    private static double Term<TTerm, T>(T x, T y)
        where TTerm : struct, IPairTerm
        where T : unmanaged, IFloatingPointIeee754<T> => TTerm.Of(double.CreateSaturating(x), double.CreateSaturating(y));

    internal readonly struct Product : IPairTerm
    {
        public static double Of(double x, double y) => x * y;
    }

    internal readonly struct SquaredDifference : IPairTerm
    {
        public static double Of(double x, double y) => (x - y) * (x - y);
    }

    internal readonly struct AbsoluteDifference : IPairTerm
    {
        public static double Of(double x, double y) => Math.Abs(x - y);
    }
}
