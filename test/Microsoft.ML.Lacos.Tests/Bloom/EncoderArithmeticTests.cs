using CsCheck;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>The pieces of the encoders against their definitions.</summary>
[TestClass]
public sealed unsafe class EncoderArithmeticTests
{
    [TestMethod]
    public void SlopesOfAPowerOfTwoAreItsGeometricSeries() =>
        AssertClose([0.70710678, 0.5, 0.35355339, 0.25], [.. Alibi.Slopes(16)[..4]]);

    [TestMethod]
    public void SlopesArePowersOfAnFp32BaseToTheBit()
    {
        // The same numbers as in alibi_slopes_test.cpp, for the native encoder.
        uint[] expected =
        [
            0x3F3504F3, 0x3EFFFFFF, 0x3EB504F3, 0x3E7FFFFF, 0x3E3504F2, 0x3DFFFFFE, 0x3DB504F2, 0x3D7FFFFE,
            0x3D3504F1, 0x3CFFFFFD, 0x3CB504F1, 0x3C7FFFFD, 0x3C3504F1, 0x3BFFFFFC, 0x3BB504F0, 0x3B7FFFFB,
        ];
        CollectionAssert.AreEqual(expected, Alibi.Slopes(16).Select(BitConverter.SingleToUInt32Bits).ToArray());
        CollectionAssert.AreEqual(new uint[] { 0x3F3504F3, 0x3EB504F3, 0x3E3504F2, 0x3DB504F2 }, Alibi.Slopes(12)[8..].Select(BitConverter.SingleToUInt32Bits).ToArray());
    }

    [TestMethod]
    public void SlopesOfOtherHeadCountsTakeTheOddPowersBetween()
    {
        float[] slopes = Alibi.Slopes(12);
        AssertClose([0.5, 0.25, 0.125, 0.0625], slopes[..4]);
        AssertClose([0.70710678, 0.35355339, 0.1767767, 0.08838835], slopes[8..]);
        Assert.HasCount(112, Alibi.Slopes(112));
        AssertClose([0.00390625], Alibi.Slopes(1));
    }

    [TestMethod]
    public void GeluIsItsFormula()
    {
        float[] x = [.. Enumerable.Range(-700, 1401).Select(i => i / 50f)];
        float[] y = [.. x];
        Gelu.ApplyInPlace(y, y.Length);
        for (int i = 0; i < x.Length; i++)
        {
            double expected = 0.5 * x[i] * (1 + Math.Tanh(0.79788456 * x[i] * (1 + (0.044715 * x[i] * x[i]))));
            Assert.AreEqual(expected, y[i], 1e-6 * Math.Max(1, Math.Abs(x[i])), $"gelu({x[i]})");
        }
    }

    [TestMethod]
    public void LayerNormIsItsFormulaRowByRow()
    {
        var random = new Random(1);
        const int width = 37;
        float[] x = [.. Enumerable.Range(0, 3 * width).Select(_ => (random.NextSingle() * 4) + 1)];
        float[] gain = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle())], bias = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle())];
        var y = new float[x.Length];
        LayerNorm.Apply(x, new LayerNormWeights(gain, bias), 1e-5f, y);
        foreach (float[] row in x.Chunk(width))
        {
            double mean = row.Average(value => (double)value), variance = row.Average(value => (value - mean) * (value - mean));
            int at = Array.IndexOf(x, row[0]);
            for (int i = 0; i < width; i++)
            {
                Assert.AreEqual(((row[i] - mean) / Math.Sqrt(variance + 1e-5) * gain[i]) + bias[i], y[at + i], 2e-6);
            }
        }
    }

    [TestMethod]
    public void AttentionIsItsFormula()
    {
        const int tokens = 9, heads = 3, size = 5, hidden = heads * size;
        var random = new Random(2);
        float[] qkv = [.. Enumerable.Range(0, tokens * 3 * hidden).Select(_ => (random.NextSingle() * 4) - 2)];
        var context = new float[tokens * hidden];
        float[] slopes = Alibi.Slopes(heads);
        for (int head = 0; head < heads; head++)
        {
            Attention.ApplyHead(qkv, head, size, slopes[head], context, hidden, new float[tokens]);
        }
        for (int head = 0; head < heads; head++)
        {
            double At(int token, int part, int d) => qkv[(token * 3 * hidden) + (head * 3 * size) + (part * size) + d];
            for (int i = 0; i < tokens; i++)
            {
                // The bias by distance, which the one by key position must equal.
                double[] weights = [.. Enumerable.Range(0, i + 1).Select(j => Math.Exp((slopes[head] * (j - i)) + (Enumerable.Range(0, size).Sum(d => At(i, 0, d) * At(j, 1, d)) / Math.Sqrt(size))))];
                for (int d = 0; d < size; d++)
                {
                    double expected = weights.Select((weight, j) => weight * At(j, 2, d)).Sum() / weights.Sum();
                    Assert.AreEqual(expected, context[(i * hidden) + (head * size) + d], 1e-5);
                }
            }
        }
    }

    [TestMethod]
    public void RowCodesAreRoundedHalfToEvenByTheReciprocal() => Gen.Float[-100, 100].Array[1, 100].Sample(row =>
    {
        var codes = new short[row.Length];
        float scale = RowQuantizer.Quantize(row, codes);
        float absmax = row.Max(MathF.Abs);

        // Where 127 / absmax would overflow, the row counts as zero.
        bool isZero = absmax < 1e-36f;
        Assert.AreEqual(isZero ? 0 : absmax / 127f, scale);
        float factor = 127f / absmax;
        for (int i = 0; i < row.Length; i++)
        {
            Assert.AreEqual(isZero ? 0 : MathF.Round(row[i] * factor, MidpointRounding.ToEven), codes[i], $"{row[i]} of {absmax}");
        }
    });

    [TestMethod]
    public void TiesGoToTheEvenCode()
    {
        float[] row = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, 0, 0, 0, 0, 0, 0, 0, 3.5f, 4.5f];
        var codes = new short[row.Length];
        Assert.AreEqual(1f, RowQuantizer.Quantize(row, codes));
        CollectionAssert.AreEqual(new short[] { 127, 0, 2, 2, 0, -2, -2, 126, 0, 0, 0, 0, 0, 0, 0, 4, 4 }, codes);
    }

    [TestMethod]
    public void RowsWithoutAUsableScaleHaveNoCodes()
    {
        foreach (float value in (float[])[0f, -0f, float.Epsilon, 1e-38f, float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            var codes = new short[20];
            Array.Fill(codes, (short)7);
            float scale = RowQuantizer.Quantize([.. Enumerable.Repeat(value, 20)], codes);
            Assert.IsTrue(Array.TrueForAll(codes, code => code == 0), $"{value}");
            Assert.AreEqual(float.IsFinite(value) ? 0f : float.NaN, scale, $"{value}");
        }
    }

    [TestMethod]
    public void Int8ProductsAreExactOnEveryPath()
    {
        var random = new Random(3);
        sbyte** rows = stackalloc sbyte*[4];
        foreach (int length in (int[])[1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 384, 1000])
        {
            sbyte[] w = [.. Enumerable.Range(0, 4 * length).Select(i => i < length ? (sbyte)-128 : (sbyte)random.Next(-128, 128))];
            short[] x = [.. Enumerable.Range(0, 2 * length).Select(i => i < length ? (short)-127 : (short)random.Next(-127, 128))];
            fixed (sbyte* ws = w)
            fixed (short* xs = x)
            {
                for (int r = 0; r < 4; r++)
                {
                    rows[r] = ws + (r * length);
                }
                Int8Tile.Multiply(rows, xs, xs + length, length, out var first, out var second);
                for (int r = 0; r < 4; r++)
                {
                    int a = Enumerable.Range(0, length).Sum(k => w[(r * length) + k] * x[k]), b = Enumerable.Range(0, length).Sum(k => w[(r * length) + k] * x[length + k]);
                    Assert.AreEqual(a, first[r], $"tile, length {length}");
                    Assert.AreEqual(b, second[r], $"tile, length {length}");
                    Assert.AreEqual(a, Int8Tile.Dot(rows[r], xs, length), $"portable path, length {length}");
                    Assert.AreEqual(b, Int8Tile.Dot(rows[r], xs + length, length), $"portable path, length {length}");
                }
            }
        }
    }

    [TestMethod]
    public void TiledFloatProductsHaveTheBitsOfSingleOnes()
    {
        var random = new Random(4);
        float* sums = stackalloc float[8];
        float** wRows = stackalloc float*[2];
        float** xRows = stackalloc float*[4];
        foreach (int length in (int[])[1, 7, 8, 9, 64, 67])
        {
            float[] w = [.. Enumerable.Range(0, 2 * length).Select(_ => random.NextSingle() - 0.5f)], x = [.. Enumerable.Range(0, 4 * length).Select(_ => random.NextSingle() - 0.5f)];
            fixed (float* ws = w, xs = x)
            {
                for (int row = 0; row < 4; row++)
                {
                    wRows[row / 2] = ws + (row / 2 * length);
                    xRows[row] = xs + (row * length);
                }
                FixedOrder.Dot2x4(wRows, xRows, length, sums);
                for (int i = 0; i < 8; i++)
                {
                    Assert.AreEqual(FixedOrder.Dot(xs + (i / 2 * length), ws + (i % 2 * length), length), sums[i], $"length {length}, product {i}");
                }
            }
        }
    }

    private static void AssertClose(double[] expected, float[] actual)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], 1e-7);
        }
    }
}
