using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Sums of fp32 products whose order of additions depends on the length alone.</summary>
/// <remarks>
/// <c>TensorPrimitives.Dot</c> and <c>Sum</c> promise no order of additions: it may change with the address, the length and the version of the library.
/// A sentence's bits may not depend on where its row lies in a batch; hence these. One vector of lanes is added up along the row, then its lanes, then the remaining elements one by one:
/// every function of this class keeps to that, so the tiled products equal the single ones to the bit.
/// </remarks>
internal static unsafe class FixedOrder
{
    /// <summary>Inner product of two rows of equal length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot(float* x, float* y, int length)
    {
        Vector<float> lanes = Vector<float>.Zero;
        int k = 0;
        for (; k <= length - Vector<float>.Count; k += Vector<float>.Count)
        {
            lanes += Vector.Load(x + k) * Vector.Load(y + k);
        }
        float sum = Vector.Sum(lanes);
        for (; k < length; k++)
        {
            sum += x[k] * y[k];
        }
        return sum;
    }

    /// <inheritdoc cref="Dot(float*, float*, int)"/>
    public static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        fixed (float* xs = &MemoryMarshal.GetReference(x), ys = &MemoryMarshal.GetReference(y))
        {
            return Dot(xs, ys, x.Length);
        }
    }

    /// <summary>Sum of a row.</summary>
    public static float Sum(ReadOnlySpan<float> x)
    {
        Vector<float> lanes = Vector<float>.Zero;
        int k = 0;
        for (; k <= x.Length - Vector<float>.Count; k += Vector<float>.Count)
        {
            lanes += new Vector<float>(x[k..]);
        }
        float sum = Vector.Sum(lanes);
        for (; k < x.Length; k++)
        {
            sum += x[k];
        }
        return sum;
    }

    /// <summary>Eight inner products at once: two weight rows with four token rows, so that each number loaded serves several products.</summary>
    /// <param name="w">Addresses of two rows; they may be the same.</param>
    /// <param name="x">Addresses of four rows; some may be the same.</param>
    /// <param name="length">Elements of a row.</param>
    /// <param name="sums">Output: [token, weight row], 8 elements.</param>
    public static void Dot2x4(float** w, float** x, int length, float* sums)
    {
        float* w0 = w[0], w1 = w[1];
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        Vector<float> a0 = Vector<float>.Zero, a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        int k = 0;
        for (; k <= length - Vector<float>.Count; k += Vector<float>.Count)
        {
            Vector<float> a = Vector.Load(w0 + k), b = Vector.Load(w1 + k);
            Vector<float> t0 = Vector.Load(x0 + k), t1 = Vector.Load(x1 + k);
            a0 += t0 * a;
            b0 += t0 * b;
            a1 += t1 * a;
            b1 += t1 * b;
            Vector<float> t2 = Vector.Load(x2 + k), t3 = Vector.Load(x3 + k);
            a2 += t2 * a;
            b2 += t2 * b;
            a3 += t3 * a;
            b3 += t3 * b;
        }
        sums[0] = Vector.Sum(a0);
        sums[1] = Vector.Sum(b0);
        sums[2] = Vector.Sum(a1);
        sums[3] = Vector.Sum(b1);
        sums[4] = Vector.Sum(a2);
        sums[5] = Vector.Sum(b2);
        sums[6] = Vector.Sum(a3);
        sums[7] = Vector.Sum(b3);
        for (; k < length; k++)
        {
            for (int token = 0; token < 4; token++)
            {
                float value = x[token][k];
                sums[2 * token] += value * w0[k];
                sums[(2 * token) + 1] += value * w1[k];
            }
        }
    }
}
