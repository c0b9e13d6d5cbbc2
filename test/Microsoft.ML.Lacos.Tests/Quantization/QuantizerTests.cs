using System.Runtime.InteropServices;
using CsCheck;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Quantization;

[TestClass]
public sealed unsafe class QuantizerTests
{
    [TestMethod]
    public void RowwiseCodesAreTheRoundedQuotientAtEveryLength()
    {
        var quantizer = new RowwiseQuantizer();
        Gen.Float[-1000f, 1000f].Array[1, 100].Sample(values =>
        {
            var codes = new byte[values.Length];
            float absmax = quantizer.Quantize(values, codes);
            Assert.AreEqual(values.Max(Math.Abs), absmax);
            float scale = 127f / absmax;
            for (int index = 0; index < values.Length; index++)
            {
                // Where the quotient is no finite fp32 number the codes are those of double arithmetic.
                double exact = float.IsFinite(scale) ? values[index] * scale : values[index] * 127.0 / absmax;
                int wanted = absmax == 0 ? 0 : (int)Math.Round(exact, MidpointRounding.ToEven);
                Assert.AreEqual(wanted, (sbyte)codes[index]);
            }
        }, iter: 500);
    }

    [TestMethod]
    [DataRow(1e-45f)]
    [DataRow(1e-38f)]
    [DataRow(3e-37f)]
    [DataRow(float.MaxValue)]
    public void ExtremeMagnitudesKeepTheirCodes(float absmax)
    {
        foreach (int length in (int[])[1, 3, 32, 67])
        {
            float[] values = [.. Enumerable.Range(0, length).Select(index => index % 2 == 0 ? absmax : -absmax)];
            var codes = new byte[length];
            Assert.AreEqual(absmax, new RowwiseQuantizer().Quantize(values, codes));
            Assert.IsTrue(MemoryMarshal.Cast<byte, sbyte>(codes).ToArray().Select((code, index) => code == (index % 2 == 0 ? 127 : -127)).All(right => right));
        }
    }

    [TestMethod]
    [DataRow(1.4e-44f)]
    [DataRow(1e-38f)]
    [DataRow(3e-37f)]
    public void RowsOfTinyMagnitudesKeepTheirProportions(float absmax)
    {
        // 63.5 is a tie, which goes to the even 64; a value of 0 is 0 whatever the scale.
        float[] values = [0, absmax / 2, absmax, -absmax / 2, -0f, -absmax];
        var codes = new byte[values.Length];
        Assert.AreEqual(absmax, new RowwiseQuantizer().Quantize(values, codes));
        CollectionAssert.AreEqual(new sbyte[] { 0, 64, 127, -64, 0, -127 }, MemoryMarshal.Cast<byte, sbyte>(codes).ToArray());
    }

    [TestMethod]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void NearestCodeIsNearestAndTiesGoDown(QuantizationScheme scheme)
    {
        var quantizer = new BlockwiseQuantizer(scheme);
        float[] book = quantizer.CodeBook.ToArray();
        for (int code = 0; code < 255; code++)
        {
            float middle = (book[code] + book[code + 1]) / 2f;
            Assert.AreEqual(code, quantizer.Nearest(middle), "a tie goes to the lower index");
            Assert.AreEqual(code + 1, quantizer.Nearest(MathF.BitIncrement(middle)));
            Assert.AreEqual(code, quantizer.Nearest(book[code]));
        }
        Assert.AreEqual(255, quantizer.Nearest(1f));
    }

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void ZerosReadBackAsZerosWithScaleZero(QuantizationScheme scheme)
    {
        var values = new float[3 * 40];
        values[100] = 5;
        using Matrix built = Build(values, 3, 40, WeightMatrixBuilder.QuantizerOf(scheme, 40));
        Assert.AreEqual(0f, built.Weights.Scales[0]);
        var row = new float[40];
        built.Weights.DequantizeRow(0, row);
        Assert.IsTrue(row.All(value => value == 0));
        built.Weights.DequantizeRow(2, row);
        Assert.AreEqual(5f, row[20], 1e-6f);
        Assert.AreEqual(0f, row[0]);
    }

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void NonFiniteWeightsAreRefused(QuantizationScheme scheme)
    {
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            var values = new float[100];
            values[37] = bad;
            IWeightQuantizer quantizer = WeightMatrixBuilder.QuantizerOf(scheme, 64)!;
            Assert.ThrowsExactly<ArgumentException>(() => quantizer.Quantize(values, new byte[100]));
            InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Build(values, 10, 10, quantizer));
            StringAssert.Contains(error.Message, "element 37");
        }
    }

    [TestMethod]
    [DataRow(QuantizationScheme.None)]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void ManyThreadsGiveWhatOneUnitAtATimeGives(QuantizationScheme scheme)
    {
        const int rows = 517, columns = 1203;
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)];
        IWeightQuantizer? quantizer = WeightMatrixBuilder.QuantizerOf(scheme, 4096);
        using Matrix built = Build(values, rows, columns, quantizer);
        if (quantizer is null)
        {
            CollectionAssert.AreEqual(values, new ReadOnlySpan<float>(built.Weights.Data, values.Length).ToArray());
            return;
        }
        int unit = quantizer.BlockSize == 0 ? columns : quantizer.BlockSize;
        for (int start = 0, index = 0; start < values.Length; start += unit, index++)
        {
            ReadOnlySpan<float> part = values.AsSpan(start, Math.Min(unit, values.Length - start));
            var codes = new byte[part.Length];
            Assert.AreEqual(quantizer.Quantize(part, codes), built.Weights.Scales[index]);
            CollectionAssert.AreEqual(codes, new ReadOnlySpan<byte>((byte*)built.Weights.Data + start, part.Length).ToArray());
        }
    }

    [TestMethod]
    public void OutlierColumnsAreComputedInFloat()
    {
        // 0.2 is less than half a step of a row whose largest value is 60, and is lost unless that value is kept apart.
        float[] input = [0.2f, 0.2f, 60f, -0.2f, 0.2f, 0.25f];
        float[] weights = [127f, 127f, 0f, 127f, 127f, 1f];
        using Matrix built = Build(weights, 2, 3, new RowwiseQuantizer());
        var with = new float[4];
        var without = new float[4];
        LlmInt8.Linear(input, built.Weights, [0, 0.5f], 6f, with);
        LlmInt8.Linear(input, built.Weights, [0, 0.5f], 0f, without);
        Assert.AreEqual(50.8f, with[0], 1e-3f);
        Assert.AreEqual(111.3f, with[1], 1e-3f);
        Assert.AreEqual(0f, without[0]);
        Assert.AreEqual(60.5f, without[1], 1e-3f);
        CollectionAssert.AreEqual(new[] { 2 }, LlmInt8.OutlierColumns(input, 3, 6f));
        CollectionAssert.AreEqual(Array.Empty<int>(), LlmInt8.OutlierColumns(input, 3, 0f));
    }

    [TestMethod]
    public void AValueAtTheThresholdIsAnOutlier()
    {
        float[] input = [1, 6, MathF.BitDecrement(6), -6, 2, 3, -4, 5];
        CollectionAssert.AreEqual(new[] { 1, 3 }, LlmInt8.OutlierColumns(input, 4, 6f));
        var codes = new short[input.Length];
        var scales = new float[2];
        CollectionAssert.AreEqual(new[] { 1, 3 }, Lacos.Bloom.OutlierColumns.Quantize(input, 4, 6f, codes, scales));
        Assert.AreEqual(MathF.BitDecrement(6) / 127f, scales[0], 1e-9f, "Values at the threshold are left out of a row's largest.");
        Assert.AreEqual(5f / 127f, scales[1], 1e-9f, "Those below it count, also in an outlier column.");
    }

    private static Matrix Build(float[] values, int rows, int columns, IWeightQuantizer? quantizer)
    {
        fixed (float* data = values)
        {
            WeightMatrix matrix = WeightMatrixBuilder.Build(new TensorFloats((byte*)data, SafetensorsDType.F32, values.Length), rows, columns, quantizer, "values", out NativeBuffer memory);
            return new Matrix(matrix, memory);
        }
    }

    private sealed record Matrix(WeightMatrix Weights, NativeBuffer Memory) : IDisposable
    {
        public void Dispose() => Memory.Dispose();
    }
}
