using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Lacos.Quantization;

/// <summary>Row-wise absmax int8 (LLM.int8, arXiv 2208.07339): <c>code = round_half_even(w * (127 / absmax))</c>, from -127 to 127.</summary>
internal sealed class RowwiseQuantizer : IWeightQuantizer
{
    // Below this 127 / absmax is no longer a finite fp32 number.
    private const float SmallestScalable = 4e-37f;

    /// <inheritdoc/>
    public QuantizationScheme Scheme => QuantizationScheme.Rowwise;

    /// <inheritdoc/>
    public int BlockSize => 0;

    /// <inheritdoc/>
    public ReadOnlySpan<float> CodeBook => [];

    /// <inheritdoc/>
    public float Quantize(ReadOnlySpan<float> values, Span<byte> codes)
    {
        float absmax = UnitMaximum.Of(values);
        QuantizeWithMaximum(values, absmax, MemoryMarshal.Cast<byte, sbyte>(codes[..values.Length]));
        return absmax;
    }

    /// <summary>Rounds values to int8 by a given largest magnitude.</summary>
    /// <param name="values">Finite; none larger in magnitude than <paramref name="absmax"/>, else it saturates.</param>
    /// <param name="absmax">0 gives zeros.</param>
    /// <param name="codes">Output.</param>
    public static void QuantizeWithMaximum(ReadOnlySpan<float> values, float absmax, Span<sbyte> codes)
    {
        if (absmax == 0)
        {
            codes.Clear();
            return;
        }
        if (absmax < SmallestScalable)
        {
            for (int index = 0; index < values.Length; index++)
            {
                codes[index] = (sbyte)Math.Clamp(Math.Round(values[index] * 127.0 / absmax, MidpointRounding.ToEven), -127, 127);
            }
            return;
        }
        float scale = 127f / absmax;
        int done = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            done = QuantizeVectors(values, scale, codes);
        }
        for (; done < values.Length; done++)
        {
            codes[done] = (sbyte)Math.Clamp(MathF.Round(values[done] * scale, MidpointRounding.ToEven), -127f, 127f);
        }
    }

    private static int QuantizeVectors(ReadOnlySpan<float> values, float scale, Span<sbyte> codes)
    {
        // Adding 1.5 * 2^23 leaves the integer, rounded half to even, in the low bits of the sum: the same rounding as MathF.Round for |x| < 2^22.
        var magic = Vector256.Create(12582912f);
        var factor = Vector256.Create(scale);
        var limit = Vector256.Create(127f);
        int index = 0;
        for (; index <= values.Length - 32; index += 32)
        {
            Vector256<int> a = Round(values[index..]);
            Vector256<int> b = Round(values[(index + 8)..]);
            Vector256<int> c = Round(values[(index + 16)..]);
            Vector256<int> d = Round(values[(index + 24)..]);
            Vector256.Narrow(Vector256.Narrow(a, b), Vector256.Narrow(c, d)).CopyTo(codes[index..]);
        }
        return index;

        Vector256<int> Round(ReadOnlySpan<float> from)
        {
            Vector256<float> scaled = Vector256.Min(Vector256.Max(Vector256.Create(from) * factor, -limit), limit);
            return (scaled + magic).AsInt32() - magic.AsInt32();
        }
    }
}
