using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>The native encoder and layer against the reference implementations, on every kernel set that can run here.</summary>
[TestClass]
[TestCategory("Golden")]
public sealed unsafe class NativeBloomEncoderGoldenTests
{
    private const double Tolerance = 2e-5;

    private static readonly (string Name, PoolingModes Mode)[] Modes =
    [
        ("first", PoolingModes.FirstToken), ("max", PoolingModes.Max), ("mean", PoolingModes.Mean),
        ("mean_sqrt_len", PoolingModes.MeanSqrtLength), ("weightedmean", PoolingModes.WeightedMean), ("lasttoken", PoolingModes.LastToken),
    ];

    public static IEnumerable<object[]> Kernels => NativeKernels.Usable().Select(kernel => new object[] { kernel });

    [TestMethod]
    [DynamicData(nameof(Kernels))]
    public void Float32TokensAndVectorsOfEveryCheckpointAgreeWithTheReferencePaddedOnEitherSide(string kernel)
    {
        NativeKernels.Require();
        string[] folders = Directory.GetDirectories(TestData.Golden("bloom"));
        Assert.AreNotEqual(0, folders.Length);
        foreach (string folder in folders)
        {
            using BloomCheckpoint checkpoint = BloomCheckpoint.Load(folder);
            using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
            using var encoder = new NativeBloomEncoder(checkpoint.Weights, BloomCompute.Float32, isa: kernel);
            foreach (string side in (string[])["left", "right"])
            {
                string name = $"{Path.GetFileName(folder)} {side}";
                PaddedReference padded = PaddedReference.Read(expected, side);
                Compare(padded.RealTokens(expected.ReadFloats($"{side}.last_hidden_state"), encoder.Config.HiddenSize), encoder.Tokens(padded.Batch), name);
                foreach ((string pooling, PoolingModes mode) in Modes)
                {
                    float[] vectors = [.. encoder.Vectors(padded.Batch, new PoolingOptions(mode)).SelectMany(row => row)];
                    Compare(expected.ReadFloats($"{side}.pooled.{pooling}"), vectors, $"{name} {pooling}");
                }
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Kernels))]
    public void OutlierThresholdBringsInt8NearerToTheReferenceWhereAChannelIsLarge(string kernel)
    {
        NativeKernels.Require();
        string folder = TestData.Golden("bloom", "outliers-fp32");
        using BloomCheckpoint exact = BloomCheckpoint.Load(folder);
        using BloomCheckpoint coded = BloomCheckpoint.Load(folder, QuantizationScheme.Rowwise);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        (int[] Ids, int[] Offsets) batch = PaddedReference.Read(expected, "right").Batch;
        using var oracle = new Float32BloomEncoder(exact.Weights);
        using var plain = new NativeBloomEncoder(coded.Weights, BloomCompute.Int8, isa: kernel);
        using var mixed = new NativeBloomEncoder(coded.Weights, BloomCompute.Int8, outlierThreshold: 6, isa: kernel);
        float[][] wanted = oracle.Vectors(batch, EncoderCalls.Mean);
        double without = EncoderCalls.MeanCosine(wanted, plain.Vectors(batch, EncoderCalls.Mean));
        double with = EncoderCalls.MeanCosine(wanted, mixed.Vectors(batch, EncoderCalls.Mean));
        Assert.IsGreaterThan(without, with, $"cosine {without} without, {with} with the threshold");
        Assert.IsGreaterThan(0.999, with);
    }

    [TestMethod]
    [DynamicData(nameof(Kernels))]
    public void LayerOutputIsThatOfLlmInt8WithAndWithoutThreshold(string kernel)
    {
        NativeKernels.Require();
        using SafetensorsFile file = SafetensorsFile.Open(TestData.Golden("bitsandbytes", "expected.safetensors"));
        int tokens = (int)file.Require("matrix.input").Shape[0], width = (int)file.Require("matrix.input").Shape[1], outputs = (int)file.Require("matrix.weight").Shape[0];
        float[] input = Halved(file.ReadFloats("matrix.input"));
        float[] weight = Halved(file.ReadFloats("matrix.weight"));
        float[] bias = file.ReadFloats("linear8bitlt.bias");
        var codes = new sbyte[weight.Length];
        var absmax = new float[outputs];
        for (int row = 0; row < outputs; row++)
        {
            absmax[row] = weight.AsSpan(row * width, width).ToArray().Max(Math.Abs);
            RowwiseQuantizer.QuantizeWithMaximum(weight.AsSpan(row * width, width), absmax[row], codes.AsSpan(row * width, width));
        }
        fixed (sbyte* codesPointer = codes)
        fixed (float* absmaxPointer = absmax, inputPointer = input, biasPointer = bias)
        fixed (byte* isa = System.Text.Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_create(outputs, width, codesPointer, absmaxPointer, 2, isa, out NativeInt8LinearHandle layer));
            using (layer)
            {
                foreach (float threshold in (float[])[0, 6])
                {
                    var actual = new float[tokens * outputs];
                    fixed (float* output = actual)
                    {
                        NativeMethods.Check(NativeMethods.lacos_int8_linear_forward(layer, inputPointer, tokens, threshold, biasPointer, 0, null, output));
                    }
                    Compare(file.ReadFloats($"linear8bitlt.threshold{threshold:0}.output"), actual, $"threshold {threshold}", 5e-4);
                }
            }
        }
    }

    private static float[] Halved(float[] values) => Array.ConvertAll(values, value => (float)(Half)value);

    private static void Compare(float[] expected, float[] actual, string what, double tolerance = Tolerance)
    {
        Assert.HasCount(expected.Length, actual, what);
        double scale = expected.Max(Math.Abs);
        Assert.AreNotEqual(0, scale, what);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], tolerance * scale, $"{what}: element {i}");
        }
    }
}
