using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Similarities of sentence vectors, differentiable.</summary>
internal static class Similarities
{
    // torch.nn.functional.normalize's own bound: a zero vector stays zero.
    private const double SmallestNorm = 1e-12;

    /// <summary>Rows divided by their Euclidean norms.</summary>
    public static torch.Tensor Normalize(torch.Tensor vectors) => torch.nn.functional.normalize(vectors, p: 2, dim: 1, eps: SmallestNorm);

    /// <summary>Cosine of each row of <paramref name="left"/> with each of <paramref name="right"/>: [left rows, right rows].</summary>
    public static torch.Tensor CosineOfAll(torch.Tensor left, torch.Tensor right) => torch.matmul(Normalize(left), Normalize(right).transpose(0, 1));

    /// <summary>Cosine of row i with row i: [rows], as CoSENT takes it.</summary>
    public static torch.Tensor CosineOfPairs(torch.Tensor left, torch.Tensor right) => (Normalize(left) * Normalize(right)).sum(1);

    /// <summary>The same with the bound of torch.cosine_similarity, which shows in the gradient of a zero vector.</summary>
    public static torch.Tensor BoundedCosineOfPairs(torch.Tensor left, torch.Tensor right) => torch.nn.functional.cosine_similarity(left, right, dim: 1, eps: 1e-8);

    /// <summary>
    /// Angle similarity of row i with row i (AnglE, arXiv 2309.12871): the halves of a vector are real and imaginary parts, and the quotient of the two complex vectors,
    /// freed of their lengths, is summed up.
    /// </summary>
    public static torch.Tensor AngleOfPairs(torch.Tensor left, torch.Tensor right)
    {
        torch.Tensor[] x = left.chunk(2, 1);
        torch.Tensor[] y = right.chunk(2, 1);
        torch.Tensor norm = y[0].Squared().Plus(y[1].Squared()).sum(1, keepdim: true);
        torch.Tensor real = (x[0] * y[0]).Plus(x[1] * y[1]) / norm;
        torch.Tensor imaginary = ((x[1] * y[0]) - (x[0] * y[1])) / norm;
        torch.Tensor ratio = x[0].Squared().Plus(x[1].Squared()).sum(1, keepdim: true).sqrt() / norm.sqrt();
        return torch.cat([real / ratio, imaginary / ratio], 1).sum(1).abs();
    }
}
