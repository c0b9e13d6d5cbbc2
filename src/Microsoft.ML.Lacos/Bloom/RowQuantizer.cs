using System.Numerics;
using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Quantises activation rows to int8 as they come (absmax, LLM.int8, arXiv 2208.07339).</summary>
/// <remarks>
/// <c>code = round_half_even(x * (127 / absmax))</c> with the quotient rounded to fp32 first, so that every implementation gives the same integers; <c>x ≈ code * (absmax / 127)</c>.
/// A row whose absmax is below 1e-36, where 127 / absmax would overflow, has codes 0 and factor 0. A row with a NaN or an infinity has codes 0 and factor NaN: the error stays visible, in its own row.
/// </remarks>
internal static class RowQuantizer
{
    /// <summary>1.5 * 2^23: added to an fp32 number below 2^22, it leaves the number rounded half to even in the low bits.</summary>
    private const float Rounder = 12582912f;
    private const int RounderBits = 0x4B400000;
    private const float SmallestAbsmax = 1e-36f;

    /// <summary>Quantises one row.</summary>
    /// <param name="x">The row.</param>
    /// <param name="codes">Output, from -127 to 127.</param>
    /// <returns>The factor that makes floats of the codes, absmax / 127.</returns>
    public static float Quantize(ReadOnlySpan<float> x, Span<short> codes) =>
        Quantize(x, MathF.Abs(TensorPrimitives.MaxMagnitude(x)), codes);

    /// <summary>Quantises one row by a given absolute maximum, which no element may exceed.</summary>
    public static float Quantize(ReadOnlySpan<float> x, float absmax, Span<short> codes)
    {
        if (!(absmax >= SmallestAbsmax && absmax <= float.MaxValue))
        {
            codes.Clear();
            return float.IsFinite(absmax) ? 0f : float.NaN;
        }
        float factor = 127f / absmax;
        int k = 0;
        for (; k <= x.Length - Vector<short>.Count; k += Vector<short>.Count)
        {
            Vector<int> low = Round(new Vector<float>(x[k..]), factor);
            Vector<int> high = Round(new Vector<float>(x[(k + Vector<float>.Count)..]), factor);
            Vector.Narrow(low, high).CopyTo(codes[k..]);
        }
        for (; k < x.Length; k++)
        {
            codes[k] = (short)(BitConverter.SingleToInt32Bits((x[k] * factor) + Rounder) - RounderBits);
        }
        return absmax / 127f;
    }

    private static Vector<int> Round(Vector<float> x, float factor) =>
        Vector.AsVectorInt32((x * factor) + new Vector<float>(Rounder)) - new Vector<int>(RounderBits);
}
