using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>BLOOM weights drawn from a seed, in any scheme; the same seed gives the same weights before quantisation.</summary>
internal sealed unsafe class RandomBloom : IDisposable
{
    private readonly List<NativeBuffer> _memory = [];
    private readonly Random _random;
    private readonly IWeightQuantizer? _quantizer;

    public RandomBloom(BloomConfig config, QuantizationScheme scheme = QuantizationScheme.None, int seed = 1, int blockSize = 64, float weightOfNaN = 0)
    {
        _random = new Random(seed);
        _quantizer = WeightMatrixBuilder.QuantizerOf(scheme, blockSize);
        int hidden = config.HiddenSize;
        WeightMatrix embeddings = Matrix(config.VocabularySize, hidden, 1);
        LayerNormWeights embeddingNorm = Norm(hidden);
        var blocks = new List<BloomBlockWeights>();
        for (int i = 0; i < config.LayerCount; i++)
        {
            blocks.Add(new BloomBlockWeights(
                Norm(hidden), Linear(3 * hidden, hidden), Linear(hidden, hidden), Norm(hidden), Linear(config.FeedForwardSize, hidden), Linear(hidden, config.FeedForwardSize)));
        }
        if (weightOfNaN != 0)
        {
            blocks[0].Dense.Bias[0] = weightOfNaN;
        }
        Weights = new BloomWeights(config, embeddings, embeddingNorm, blocks, Norm(hidden));
    }

    public BloomWeights Weights { get; }

    public static BloomConfig Small { get; } = new(48, 2, 3, 101);

    /// <summary>Rows of token ids of the given lengths.</summary>
    public static (int[] Ids, int[] Offsets) Batch(int vocabulary, int seed, params int[] lengths)
    {
        var random = new Random(seed);
        var offsets = new int[lengths.Length + 1];
        for (int row = 0; row < lengths.Length; row++)
        {
            offsets[row + 1] = offsets[row] + lengths[row];
        }
        int[] ids = [.. Enumerable.Range(0, offsets[^1]).Select(_ => random.Next(vocabulary))];
        return (ids, offsets);
    }

    public void Dispose() => _memory.ForEach(buffer => buffer.Dispose());

    private float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

    private float[] Vector(int length, float mean, float deviation) => [.. Enumerable.Range(0, length).Select(_ => mean + (deviation * Normal()))];

    private LayerNormWeights Norm(int width) => new(Vector(width, 1, 0.1f), Vector(width, 0, 0.1f));

    private LinearWeights Linear(int rows, int columns) => new(Matrix(rows, columns, 1 / MathF.Sqrt(columns)), Vector(rows, 0, 0.1f));

    private WeightMatrix Matrix(int rows, int columns, float deviation)
    {
        float[] values = Vector(rows * columns, 0, deviation);
        fixed (float* data = values)
        {
            WeightMatrix matrix = WeightMatrixBuilder.Build(new TensorFloats((byte*)data, SafetensorsDType.F32, values.Length), rows, columns, _quantizer, "random", out NativeBuffer memory);
            _memory.Add(memory);
            return matrix;
        }
    }
}
