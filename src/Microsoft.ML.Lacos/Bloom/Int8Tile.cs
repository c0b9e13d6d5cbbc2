using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Exact int32 inner products of four rows of int8 weights with two rows of int8 activations.</summary>
/// <remarks>Integer sums have no rounding, so every path gives the same numbers. Activations are held as 16-bit numbers: they are widened once, not once a weight row.</remarks>
internal static unsafe class Int8Tile
{
    /// <summary>Longest row whose inner product of codes up to 127 and 128 in magnitude cannot leave 32 bits.</summary>
    public const int LongestRow = int.MaxValue / (127 * 128);

    /// <summary>Computes eight inner products.</summary>
    /// <param name="w">Four addresses of weight rows; a row may be given twice.</param>
    /// <param name="x0">Codes of a token, from -127 to 127.</param>
    /// <param name="x1">Codes of another, or of the same, token.</param>
    /// <param name="length">Elements of a row.</param>
    /// <param name="y0">Products of the first token with the four rows.</param>
    /// <param name="y1">Products of the second.</param>
    public static void Multiply(sbyte** w, short* x0, short* x1, int length, out Vector128<int> y0, out Vector128<int> y1)
    {
        if (Avx2.IsSupported)
        {
            MultiplyAvx2(w[0], w[1], w[2], w[3], x0, x1, length, out y0, out y1);
        }
        else
        {
            y0 = Vector128.Create(Dot(w[0], x0, length), Dot(w[1], x0, length), Dot(w[2], x0, length), Dot(w[3], x0, length));
            y1 = Vector128.Create(Dot(w[0], x1, length), Dot(w[1], x1, length), Dot(w[2], x1, length), Dot(w[3], x1, length));
        }
    }

    /// <summary>One inner product on whatever vectors the machine has.</summary>
    /// <remarks>A product is at most 128 * 127 = 16,256 in magnitude, so that two of them may be added in 16 bits, and no more.</remarks>
    public static int Dot(sbyte* w, short* x, int length)
    {
        Vector<int> sums = Vector<int>.Zero;
        int k = 0;
        for (; k <= length - Vector<sbyte>.Count; k += Vector<sbyte>.Count)
        {
            Vector.Widen(Vector.Load(w + k), out Vector<short> low, out Vector<short> high);
            Vector<short> products = (low * Vector.Load(x + k)) + (high * Vector.Load(x + k + Vector<short>.Count));
            Vector.Widen(products, out Vector<int> left, out Vector<int> right);
            sums += left + right;
        }
        int sum = Vector.Sum(sums);
        for (; k < length; k++)
        {
            sum += w[k] * x[k];
        }
        return sum;
    }

    private static void MultiplyAvx2(sbyte* w0, sbyte* w1, sbyte* w2, sbyte* w3, short* x0, short* x1, int length, out Vector128<int> y0, out Vector128<int> y1)
    {
        Vector256<int> a0 = Vector256<int>.Zero, a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        int k = 0;
        for (; k <= length - 16; k += 16)
        {
            Vector256<short> xa = Vector256.Load(x0 + k), xb = Vector256.Load(x1 + k);
            Vector256<short> w = Avx2.ConvertToVector256Int16(w0 + k);
            a0 = Avx2.Add(a0, Avx2.MultiplyAddAdjacent(w, xa));
            b0 = Avx2.Add(b0, Avx2.MultiplyAddAdjacent(w, xb));
            w = Avx2.ConvertToVector256Int16(w1 + k);
            a1 = Avx2.Add(a1, Avx2.MultiplyAddAdjacent(w, xa));
            b1 = Avx2.Add(b1, Avx2.MultiplyAddAdjacent(w, xb));
            w = Avx2.ConvertToVector256Int16(w2 + k);
            a2 = Avx2.Add(a2, Avx2.MultiplyAddAdjacent(w, xa));
            b2 = Avx2.Add(b2, Avx2.MultiplyAddAdjacent(w, xb));
            w = Avx2.ConvertToVector256Int16(w3 + k);
            a3 = Avx2.Add(a3, Avx2.MultiplyAddAdjacent(w, xa));
            b3 = Avx2.Add(b3, Avx2.MultiplyAddAdjacent(w, xb));
        }
        y0 = SumEach(a0, a1, a2, a3);
        y1 = SumEach(b0, b1, b2, b3);
        if (k < length)
        {
            int rest = length - k;
            y0 += Vector128.Create(Dot(w0 + k, x0 + k, rest), Dot(w1 + k, x0 + k, rest), Dot(w2 + k, x0 + k, rest), Dot(w3 + k, x0 + k, rest));
            y1 += Vector128.Create(Dot(w0 + k, x1 + k, rest), Dot(w1 + k, x1 + k, rest), Dot(w2 + k, x1 + k, rest), Dot(w3 + k, x1 + k, rest));
        }
    }

    /// <summary>The sum of each vector's eight lanes, side by side.</summary>
    private static Vector128<int> SumEach(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d)
    {
        Vector256<int> sums = Avx2.HorizontalAdd(Avx2.HorizontalAdd(a, b), Avx2.HorizontalAdd(c, d));
        return sums.GetLower() + sums.GetUpper();
    }
}
