namespace Microsoft.ML.Lacos.Quantization;

/// <summary>The 256 values that 8-bit codes stand for, ascending, as bitsandbytes builds them (0.41.1 and later).</summary>
internal static class CodeBooks
{
    /// <summary>Codes of a book.</summary>
    public const int Size = 256;

    private const int ExponentBits = 7;

    /// <summary>Signed dynamic map: from -0.993 to 1, zero at index 127; spacing grows with the magnitude.</summary>
    public static float[] SignedDynamic { get; } = Dynamic(signed: true);

    /// <summary>Unsigned dynamic map: from 0 to 1, zero at index 0. For values that are never negative.</summary>
    public static float[] UnsignedDynamic { get; } = Dynamic(signed: false);

    /// <summary>255 evenly spaced values from -1 to 1, and a second zero (see the remarks).</summary>
    /// <remarks>fp32 spacing leaves 3.7e-9 where the middle should be, at index 128; the exact zero is inserted at 127.</remarks>
    public static float[] SignedLinear { get; } = Linear();

    private static float[] Dynamic(bool signed)
    {
        var values = new List<float>(Size);
        for (int exponent = 0; exponent < ExponentBits; exponent++)
        {
            int means = 1 << (signed ? exponent : exponent + 1);
            float scale = (float)Math.Pow(10, exponent - (ExponentBits - 1));
            float[] boundaries = Spaced(0.1f, 1f, means + 1);
            for (int index = 0; index < means; index++)
            {
                float value = scale * ((boundaries[index] + boundaries[index + 1]) / 2f);
                values.Add(value);
                if (signed)
                {
                    values.Add(-value);
                }
            }
        }
        values.Add(0f);
        values.Add(1f);
        values.Sort();
        return [.. values];
    }

    private static float[] Linear()
    {
        float[] spaced = Spaced(-1f, 1f, Size - 1);
        int half = spaced.Length / 2;
        return [.. spaced[..half], 0f, .. spaced[half..]];
    }

    // The order of operations of torch.linspace in fp32: from the start up to the middle, from the end beyond it.
    private static float[] Spaced(float start, float end, int count)
    {
        float step = (end - start) / (count - 1);
        var values = new float[count];
        for (int index = 0; index < count; index++)
        {
            values[index] = index < count / 2
                ? MathF.FusedMultiplyAdd(step, index, start)
                : MathF.FusedMultiplyAdd(-step, count - 1 - index, end);
        }
        return values;
    }
}
