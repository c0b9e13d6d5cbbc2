using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A BLOOM of any shape with random int8 weights, distributed normally as trained ones nearly are: on AVX2 our speed depends on it a little.</summary>
internal sealed unsafe class RandomBloom : IDisposable
{
    private readonly List<nint> _memory = [];
    private readonly Random _random = new(1);

    /// <param name="config">Shape.</param>
    /// <param name="oneBlock">Whether all blocks are the same memory: for what packs them into its own.</param>
    public RandomBloom(BloomConfig config, bool oneBlock = false)
    {
        int hidden = config.HiddenSize;
        Weights = new BloomWeights(
            config,
            Matrix(config.VocabularySize, hidden),
            Norm(hidden),
            oneBlock ? [.. Enumerable.Repeat(Block(hidden), config.LayerCount)] : [.. Enumerable.Range(0, config.LayerCount).Select(_ => Block(hidden))],
            Norm(hidden));
    }

    public BloomWeights Weights { get; }

    /// <summary>Elements of the linear layers, each of which costs one multiply-add a token.</summary>
    public static double LinearElements(BloomConfig config) => 12.0 * config.LayerCount * config.HiddenSize * config.HiddenSize;

    public WeightMatrix Matrix(int rows, int columns)
    {
        long length = (long)rows * columns;
        void* data = NativeMemory.AlignedAlloc((nuint)length, 64);
        _memory.Add((nint)data);
        // The mean of four bytes, less 127.5, is close to a normal one, and 127 is 3.4 times its standard deviation.
        var four = new byte[1 << 20];
        for (long start = 0; start < length; start += four.Length / 4)
        {
            _random.NextBytes(four);
            int count = (int)Math.Min(four.Length / 4, length - start);
            for (int i = 0; i < count; i++)
            {
                int sum = four[4 * i] + four[(4 * i) + 1] + four[(4 * i) + 2] + four[(4 * i) + 3];
                ((sbyte*)data)[start + i] = (sbyte)((sum - 510) / 4);
            }
        }
        var scales = new float[rows];
        Array.Fill(scales, 2f / MathF.Sqrt(columns));
        return new WeightMatrix(QuantizationScheme.Rowwise, rows, columns, data, scales, [], 0, this);
    }

    public void Dispose()
    {
        _memory.ForEach(pointer => NativeMemory.AlignedFree((void*)pointer));
        _memory.Clear();
    }

    private BloomBlockWeights Block(int hidden) =>
        new(Norm(hidden), Layer(3 * hidden, hidden), Layer(hidden, hidden), Norm(hidden), Layer(4 * hidden, hidden), Layer(hidden, 4 * hidden));

    private LinearWeights Layer(int rows, int columns) => new(Matrix(rows, columns), new float[rows]);

    private static LayerNormWeights Norm(int size)
    {
        var weight = new float[size];
        Array.Fill(weight, 1f);
        return new LayerNormWeights(weight, new float[size]);
    }
}
