using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>Calls and comparisons that the encoder tests share.</summary>
internal static class EncoderCalls
{
    public static PoolingOptions Mean { get; } = new(PoolingModes.Mean, 0, true);

    public static float[][] Vectors(this IBloomEncoder encoder, (int[] Ids, int[] Offsets) batch, PoolingOptions options, params int[] poolFrom)
    {
        int rows = batch.Offsets.Length - 1;
        int dimension = Pooling.Dimension(encoder.Config.HiddenSize, options);
        var vectors = new float[rows * dimension];
        encoder.Encode(batch.Ids, batch.Offsets, poolFrom, options, vectors);
        return vectors.Chunk(dimension).ToArray();
    }

    public static float[] Tokens(this IBloomEncoder encoder, (int[] Ids, int[] Offsets) batch)
    {
        var states = new float[batch.Ids.Length * encoder.Config.HiddenSize];
        encoder.EncodeTokens(batch.Ids, batch.Offsets, states);
        return states;
    }

    public static double MeanCosine(float[][] left, float[][] right) =>
        left.Zip(right, (a, b) => (double)TensorPrimitives.CosineSimilarity<float>(a, b)).Average();

    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string message)
    {
        Assert.AreEqual(expected.Length, actual.Length, message);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(BitConverter.SingleToInt32Bits(expected[i]), BitConverter.SingleToInt32Bits(actual[i]), $"{message}: element {i} is {actual[i]:R}, expected {expected[i]:R}");
        }
    }

    /// <summary>The rows of a batch in another order.</summary>
    public static (int[] Ids, int[] Offsets) Reordered((int[] Ids, int[] Offsets) batch, params int[] order)
    {
        var ids = new List<int>();
        var offsets = new List<int> { 0 };
        foreach (int row in order)
        {
            ids.AddRange(batch.Ids[batch.Offsets[row]..batch.Offsets[row + 1]]);
            offsets.Add(ids.Count);
        }
        return ([.. ids], [.. offsets]);
    }
}
