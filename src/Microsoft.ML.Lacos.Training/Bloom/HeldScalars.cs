using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Sums of tensors, and products with a number, whose scalar outlives the call.</summary>
/// <remarks>
/// Hazard: TorchSharp's operators hand torch the handle of a temporary <see cref="Scalar"/> and keep no reference to it. A garbage collection at that moment frees it, and torch reads freed memory.
/// </remarks>
internal static class HeldScalars
{
    private static readonly Scalar One = 1;

    public static torch.Tensor Plus(this torch.Tensor left, torch.Tensor right) => left.add(right, One);

    public static torch.Tensor PlusInPlace(this torch.Tensor left, torch.Tensor right) => left.add_(right, One);

    public static torch.Tensor Times(this torch.Tensor left, double factor)
    {
        using Scalar held = factor;
        return left.mul(held);
    }
}
