using System.Numerics;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Four similarities of one pair of vectors, in double arithmetic; larger always means more alike.</summary>
/// <param name="Cosine">Cosine of the angle; 0 where one vector is zero, as a text without tokens has it.</param>
/// <param name="Dot">Dot product.</param>
/// <param name="Euclidean">Negative Euclidean distance.</param>
/// <param name="Manhattan">Negative sum of absolute differences.</param>
internal readonly record struct PairSimilarity(double Cosine, double Dot, double Euclidean, double Manhattan)
{
    /// <summary>Compares two vectors.</summary>
    /// <param name="left">Elements of one vector.</param>
    /// <param name="right">As many elements of the other.</param>
    /// <typeparam name="T">float or double.</typeparam>
    public static PairSimilarity Of<T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (left.Length != right.Length)
        {
            throw new ArgumentException($"Vectors of {left.Length} and {right.Length} dimensions cannot be compared. Encode both with the same model and the same Dimension.", nameof(right));
        }
        double dot = PairwiseSum.Of<PairwiseSum.Product, T>(left, right);
        double squaresLeft = PairwiseSum.Of<PairwiseSum.Product, T>(left, left);
        double squaresRight = PairwiseSum.Of<PairwiseSum.Product, T>(right, right);
        double squaredDistance = PairwiseSum.Of<PairwiseSum.SquaredDifference, T>(left, right);
        double absoluteDistance = PairwiseSum.Of<PairwiseSum.AbsoluteDifference, T>(left, right);
        // Exact for equal and opposite vectors, whose squares are one number, and in one dimension, where the root undoes the square: such pairs tie at 1 or -1.
        double norms = squaresLeft == squaresRight ? squaresLeft : Math.Sqrt(squaresLeft) * Math.Sqrt(squaresRight);
        double cosine = norms == 0 ? 0 : Math.Clamp(dot / norms, -1, 1);
        return new PairSimilarity(cosine, dot, -Math.Sqrt(squaredDistance), -absoluteDistance);
    }
}
