using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>The int8 linear layer against bitsandbytes' <c>Linear8bitLt</c>; the reference rounds input and weight to fp16 first, and treats its matrix as one sentence.</summary>
[TestClass]
[TestCategory("Golden")]
public sealed unsafe class Int8LinearGoldenTests
{
    [TestMethod]
    [DataRow(0f)]
    [DataRow(6f)]
    public void OutputIsThatOfTheReference(float threshold)
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestData.Golden("bitsandbytes", "expected.safetensors"));
        float[] input = Halved(file.ReadFloats("matrix.input"));
        int tokens = (int)file.Require("matrix.input").Shape[0], width = (int)file.Require("matrix.input").Shape[1], outputs = (int)file.Require("matrix.weight").Shape[0];
        using var memory = new NativeBuffer(outputs * width);
        WeightMatrix weights = Rowwise(Halved(file.ReadFloats("matrix.weight")), outputs, width, memory);
        var layer = new Int8Linear(new LinearWeights(weights, file.ReadFloats("linear8bitlt.bias")), threshold);
        var buffers = new EncoderBuffers(new BloomConfig(width, 1, 1, 1));
        buffers.Reserve(tokens);
        var actual = new float[tokens * outputs];
        layer.Apply(input, [0, tokens], actual, buffers, 2);

        float[] expected = file.ReadFloats($"linear8bitlt.threshold{threshold:0}.output");
        double tolerance = 5e-4 * expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], tolerance, $"token {i / outputs}, output {i % outputs}");
        }
    }

    [TestMethod]
    public void CodesOutlierColumnsAndMaximaAreThoseOfTheReference()
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestData.Golden("bitsandbytes", "expected.safetensors"));
        SafetensorsEntry entry = file.Require("matrix.input");
        float[] input = Halved(file.ReadFloats(entry.Name));
        int tokens = (int)entry.Shape[0], width = (int)entry.Shape[1];
        var codes = new short[input.Length];
        var scales = new float[tokens];
        int[] columns = OutlierColumns.Quantize(input, width, 6, codes, scales);

        SafetensorsEntry wanted = file.Require("vectorwise.input.threshold6.outlier_cols");
        CollectionAssert.AreEqual(new ReadOnlySpan<int>(file.Pointer(wanted), (int)wanted.Count).ToArray(), columns);
        float[] absmax = file.ReadFloats("vectorwise.input.threshold6.row_absmax");
        for (int token = 0; token < tokens; token++)
        {
            Assert.AreEqual(absmax[token] / 127f, scales[token], 1e-7f * absmax[token]);
        }
        var expected = new ReadOnlySpan<sbyte>(file.Pointer(file.Require("vectorwise.input.threshold6.int8")), codes.Length);
        for (int i = 0; i < codes.Length; i++)
        {
            AssertCode(columns.Contains(i % width) ? (sbyte)0 : expected[i], codes[i], input[i], scales[i / width]);
        }

        expected = new ReadOnlySpan<sbyte>(file.Pointer(file.Require("vectorwise.input.int8")), codes.Length);
        for (int token = 0; token < tokens; token++)
        {
            float scale = RowQuantizer.Quantize(input.AsSpan(token * width, width), codes.AsSpan(token * width, width));
            for (int i = token * width; i < (token + 1) * width; i++)
            {
                AssertCode(expected[i], codes[i], input[i], scale);
            }
        }
    }

    /// <summary>Equal, or neighbours where the number lies half-way between two codes.</summary>
    private static void AssertCode(sbyte expected, short actual, float value, float scale)
    {
        if (expected != actual)
        {
            double exact = value / scale;
            Assert.AreEqual(0.5, Math.Abs(exact - Math.Truncate(exact)), 1e-4, $"code {actual} for {value}, which is {exact} steps; the reference has {expected}");
            Assert.AreEqual(1, Math.Abs(expected - actual));
        }
    }

    private static float[] Halved(float[] values) => Array.ConvertAll(values, value => (float)(Half)value);

    private static WeightMatrix Rowwise(float[] values, int rows, int columns, NativeBuffer memory)
    {
        var quantizer = new RowwiseQuantizer();
        var scales = new float[rows];
        for (int row = 0; row < rows; row++)
        {
            scales[row] = quantizer.Quantize(values.AsSpan(row * columns, columns), new Span<byte>(memory.Pointer + (row * columns), columns));
        }
        return new WeightMatrix(QuantizationScheme.Rowwise, rows, columns, memory.Pointer, scales, [], 0, memory);
    }
}
