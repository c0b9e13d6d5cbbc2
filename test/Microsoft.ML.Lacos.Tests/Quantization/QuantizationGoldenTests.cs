using System.Globalization;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Quantization;

[TestClass]
[TestCategory("Golden")]
public sealed unsafe class QuantizationGoldenTests
{
    [TestMethod]
    public void CodeBooksAreTheReferences()
    {
        using SafetensorsFile golden = Open();
        CollectionAssert.AreEqual(golden.ReadFloats("code.dynamic.signed"), CodeBooks.SignedDynamic);
        CollectionAssert.AreEqual(golden.ReadFloats("code.dynamic.unsigned"), CodeBooks.UnsignedDynamic);
        CollectionAssert.AreEqual(golden.ReadFloats("code.linear.signed"), CodeBooks.SignedLinear);
    }

    [TestMethod]
    [DataRow("blockwise", QuantizationScheme.BlockwiseDynamic)]
    [DataRow("blockwise_linear", QuantizationScheme.BlockwiseLinear)]
    public void BlockwiseCodesAndMaximaAreTheReferences(string family, QuantizationScheme scheme)
    {
        using SafetensorsFile golden = Open();
        float[] input = golden.ReadFloats("blockwise.input");
        string[] keys = [.. golden.Entries.Keys.Where(key => key.StartsWith(family + ".", StringComparison.Ordinal) && key.EndsWith(".exact.codes", StringComparison.Ordinal))];
        Assert.AreNotEqual(0, keys.Length);
        foreach (string key in keys)
        {
            int blockSize = int.Parse(key.Split('.')[1], CultureInfo.InvariantCulture);
            using Built built = Build(input, 1, input.Length, new BlockwiseQuantizer(scheme, blockSize));
            CollectionAssert.AreEqual(golden.ReadFloats($"blockwise.{blockSize}.absmax"), built.Matrix.Scales, key);
            byte[] wanted = new ReadOnlySpan<byte>(golden.Pointer(golden.Require(key)), input.Length).ToArray();
            byte[] codes = new ReadOnlySpan<byte>(built.Matrix.Data, input.Length).ToArray();
            CollectionAssert.AreEqual(wanted, codes, key);
        }
    }

    [TestMethod]
    [DataRow("weight")]
    [DataRow("input")]
    public void VectorwiseCodesAndMaximaAreTheReferences(string which)
    {
        using SafetensorsFile golden = Open();
        float[] values = RoundToHalf(golden.ReadFloats($"matrix.{which}"));
        int columns = (int)golden.Require($"matrix.{which}").Shape[1];
        string[] keys = [.. golden.Entries.Keys.Where(key => key.StartsWith($"vectorwise.{which}.", StringComparison.Ordinal) && key.EndsWith(".int8", StringComparison.Ordinal))];
        Assert.HasCount(2, keys);
        foreach (string key in keys)
        {
            string stem = key[..^".int8".Length];
            float threshold = Threshold(stem);
            var codes = new sbyte[values.Length];
            var absmax = new float[values.Length / columns];
            int[] outliers = LlmInt8.QuantizeRows(values, columns, threshold, codes, absmax);
            CollectionAssert.AreEqual(golden.ReadFloats(stem + ".row_absmax"), absmax, stem);
            if (threshold > 0)
            {
                SafetensorsEntry entry = golden.Require(stem + ".outlier_cols");
                CollectionAssert.AreEqual(new ReadOnlySpan<int>(golden.Pointer(entry), (int)entry.Count).ToArray(), outliers, stem);
            }
            AssertCodes(new ReadOnlySpan<sbyte>(golden.Pointer(golden.Require(key)), codes.Length), codes, values, absmax, columns, key);
        }
    }

    [TestMethod]
    public void RowwiseQuantiserGivesTheReferencesWeightCodes()
    {
        using SafetensorsFile golden = Open();
        float[] weight = RoundToHalf(golden.ReadFloats("matrix.weight"));
        long[] shape = golden.Require("matrix.weight").Shape;
        using Built built = Build(weight, (int)shape[0], (int)shape[1], new RowwiseQuantizer());
        CollectionAssert.AreEqual(golden.ReadFloats("vectorwise.weight.row_absmax"), built.Matrix.Scales);
        sbyte[] codes = new ReadOnlySpan<sbyte>(built.Matrix.Data, weight.Length).ToArray();
        AssertCodes(new ReadOnlySpan<sbyte>(golden.Pointer(golden.Require("vectorwise.weight.int8")), codes.Length), codes, weight, built.Matrix.Scales, (int)shape[1], "weight");
    }

    [TestMethod]
    public void Linear8bitLtAgreesWithAndWithoutOutliers()
    {
        using SafetensorsFile golden = Open();
        float[] input = RoundToHalf(golden.ReadFloats("matrix.input"));
        float[] weight = RoundToHalf(golden.ReadFloats("matrix.weight"));
        float[] bias = RoundToHalf(golden.ReadFloats("linear8bitlt.bias"));
        long[] shape = golden.Require("matrix.weight").Shape;
        using Built built = Build(weight, (int)shape[0], (int)shape[1], new RowwiseQuantizer());
        string[] keys = [.. golden.Entries.Keys.Where(key => key.StartsWith("linear8bitlt.threshold", StringComparison.Ordinal))];
        Assert.HasCount(2, keys);
        foreach (string key in keys)
        {
            float[] wanted = golden.ReadFloats(key);
            var output = new float[wanted.Length];
            LlmInt8.Linear(input, built.Matrix, bias, Threshold(key[..^".output".Length]), output);
            double tolerance = 5e-4 * wanted.Max(Math.Abs);
            for (int index = 0; index < wanted.Length; index++)
            {
                Assert.AreEqual(wanted[index], output[index], tolerance, $"{key} element {index}");
            }
        }
    }

    private static SafetensorsFile Open() => SafetensorsFile.Open(TestData.Golden("bitsandbytes", "expected.safetensors"));

    private static float Threshold(string stem)
    {
        int at = stem.IndexOf("threshold", StringComparison.Ordinal);
        return at < 0 ? 0 : float.Parse(stem.AsSpan(at + "threshold".Length), CultureInfo.InvariantCulture);
    }

    private static float[] RoundToHalf(float[] values) => [.. values.Select(value => (float)(Half)value)];

    // Codes must be equal, but where the exact quotient lies on a tie either neighbour is right.
    private static void AssertCodes(ReadOnlySpan<sbyte> wanted, ReadOnlySpan<sbyte> codes, float[] values, float[] absmax, int columns, string key)
    {
        for (int index = 0; index < codes.Length; index++)
        {
            if (wanted[index] != codes[index])
            {
                double exact = values[index] * 127.0 / absmax[index / columns];
                Assert.AreEqual(0.5, Math.Abs(exact - Math.Truncate(exact)), 1e-5, $"{key} element {index}: {wanted[index]} expected, got {codes[index]}, no tie");
            }
        }
    }

    private static Built Build(float[] values, int rows, int columns, IWeightQuantizer quantizer)
    {
        fixed (float* data = values)
        {
            WeightMatrix matrix = WeightMatrixBuilder.Build(new TensorFloats((byte*)data, SafetensorsDType.F32, values.Length), rows, columns, quantizer, "values", out NativeBuffer memory);
            return new Built(matrix, memory);
        }
    }

    private sealed record Built(WeightMatrix Matrix, NativeBuffer Memory) : IDisposable
    {
        public void Dispose() => Memory.Dispose();
    }
}
