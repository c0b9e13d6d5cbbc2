using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Quantization;

/// <summary>The largest magnitude of a unit.</summary>
internal static class UnitMaximum
{
    /// <summary>Largest magnitude, 0 for no values.</summary>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public static float Of(ReadOnlySpan<float> values)
    {
        float maximum = values.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(values));
        return float.IsFinite(maximum)
            ? maximum
            : throw new ArgumentException($"A value to quantise is {maximum}; only finite values can be. Look for damaged weights or an overflow.", nameof(values));
    }
}
