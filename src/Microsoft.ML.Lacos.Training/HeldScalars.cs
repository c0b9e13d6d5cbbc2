using TorchSharp;

namespace Microsoft.ML.Lacos.Training;

/// <summary>Arithmetic of tensors whose scalars outlive the call.</summary>
/// <remarks>
/// Hazard: TorchSharp's operators hand torch the handle of a temporary <see cref="Scalar"/> and keep no reference to it (every sum has one, its <c>alpha</c>). A garbage collection
/// at that moment frees it, and torch reads freed memory. Write these instead of <c>+</c> and of every operator with a number.
/// </remarks>
internal static class HeldScalars
{
    private static readonly Scalar One = 1;
    private static readonly Scalar Two = 2;

    public static torch.Tensor Plus(this torch.Tensor left, torch.Tensor right) => left.add(right, One);

    public static torch.Tensor PlusInPlace(this torch.Tensor left, torch.Tensor right) => left.add_(right, One);

    public static torch.Tensor Times(this torch.Tensor left, double factor)
    {
        using Scalar held = factor;
        return left.mul(held);
    }

    public static torch.Tensor TimesInPlace(this torch.Tensor left, double factor)
    {
        using Scalar held = factor;
        return left.mul_(held);
    }

    /// <summary>The number less each element.</summary>
    public static torch.Tensor SubtractedFrom(this torch.Tensor right, double number)
    {
        using Scalar held = number;
        return right.negative().add(held, One);
    }

    public static torch.Tensor Squared(this torch.Tensor tensor) => tensor.pow(Two);
}
