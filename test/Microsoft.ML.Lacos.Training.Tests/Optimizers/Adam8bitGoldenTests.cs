using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Optimizers;

[TestClass]
[TestCategory("Golden")]
public sealed class Adam8bitGoldenTests
{
    // A value halfway between two codes may go either way when the last bit of a sum differs; the reference set then differs in that element from there on.
    private const double TieShare = 1e-3;
    private const int BlockSize = 256;

    // What the reference outputs were made with, see their meta.json.
    private static readonly AdamOptions Options = new(LearningRate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0);

    [TestMethod]
    public void EveryStepOf8BitAdamGivesTheReferenceWeights()
    {
        using SafetensorsFile file = Open();
        float[] expected = file.ReadFloats("adam8bit.params_after_each_step");
        using torch.Tensor weights = torch.tensor(file.ReadFloats("adam8bit.param0")).requires_grad_();
        var optimizer = new Adam8bit([("p", weights)], Options, BlockSize);
        var different = new HashSet<int>();
        Run(file, optimizer, weights, (step, values) =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                if (Math.Abs(values[i] - expected[(step * values.Length) + i]) > 1e-6f)
                {
                    different.Add(i);
                }
            }
        });
        Assert.IsLessThanOrEqualTo(TieShare * weights.NumberOfElements, different.Count);
    }

    [TestMethod]
    public void CodesAndMaximaAfterTheLastStepAreTheReferenceOnes()
    {
        using SafetensorsFile file = Open();
        using torch.Tensor weights = torch.tensor(file.ReadFloats("adam8bit.param0")).requires_grad_();
        var optimizer = new Adam8bit([("p", weights)], Options, BlockSize);
        Run(file, optimizer, weights, (_, _) => { });
        Dictionary<string, Array> state = optimizer.State.ToDictionary(array => array.Name, array => array.Values);
        foreach (int moment in new[] { 1, 2 })
        {
            byte[] codes = Bytes(file, $"adam8bit.state{moment}_codes");
            int different = codes.Zip((byte[])state[$"p.moment{moment}.codes"]).Count(pair => pair.First != pair.Second);
            Assert.IsLessThanOrEqualTo(TieShare * codes.Length, different);
            float[] maxima = file.ReadFloats($"adam8bit.absmax{moment}");
            var actual = (float[])state[$"p.moment{moment}.absmax"];
            Assert.HasCount(maxima.Length, actual);
            for (int block = 0; block < maxima.Length; block++)
            {
                Assert.AreEqual(maxima[block], actual[block], 1e-6f * maxima[block], $"moment {moment}, block {block}");
            }
        }
    }

    [TestMethod]
    public void AdamInSinglePrecisionGivesTheReferenceWeights()
    {
        using SafetensorsFile file = Open();
        float[] expected = file.ReadFloats("adam32.param_final");
        using torch.Tensor weights = torch.tensor(file.ReadFloats("adam8bit.param0")).requires_grad_();
        Run(file, new AdamW([("p", weights)], Options), weights, (_, _) => { });
        float[] actual = [.. weights.data<float>()];
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], 1e-6f, $"element {i}");
        }
    }

    private static void Run(SafetensorsFile file, AdamOptimizer optimizer, torch.Tensor weights, Action<int, float[]> after)
    {
        float[] gradients = file.ReadFloats("adam8bit.grads");
        int count = (int)weights.NumberOfElements;
        for (int step = 0; step < gradients.Length / count; step++)
        {
            using torch.Tensor gradient = torch.tensor(gradients.AsSpan(step * count, count).ToArray());
            weights.grad = gradient;
            optimizer.Step();
            after(step, [.. weights.data<float>()]);
        }
    }

    private static unsafe byte[] Bytes(SafetensorsFile file, string name)
    {
        SafetensorsEntry entry = file.Require(name);
        return new ReadOnlySpan<byte>(file.Pointer(entry), (int)entry.ByteLength).ToArray();
    }

    private static SafetensorsFile Open() => SafetensorsFile.Open(TestData.Golden("bitsandbytes", "expected.safetensors"));
}
