using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A BLOOM of any shape with random int8 weights: speed does not depend on their values.</summary>
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
        for (long start = 0; start < length; start += 1 << 20)
        {
            _random.NextBytes(new Span<byte>((byte*)data + start, (int)Math.Min(1 << 20, length - start)));
        }
        // -128 is no code of the scheme.
        for (long i = 0; i < length; i++)
        {
            ((sbyte*)data)[i] = Math.Max(((sbyte*)data)[i], (sbyte)-127);
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
