using System.Numerics;
using System.Numerics.Tensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Makes one vector of a sentence's token vectors, as the pooling module of sentence-transformers does.</summary>
internal static class Pooling
{
    private const PoolingModes All = PoolingModes.FirstToken | PoolingModes.Max | PoolingModes.Mean | PoolingModes.MeanSqrtLength | PoolingModes.WeightedMean | PoolingModes.LastToken;

    /// <summary>Smallest norm divided by, as in <c>torch.nn.functional.normalize</c>.</summary>
    private const double SmallestNorm = 1e-12;

    /// <summary>Whether these are modes, and there is one.</summary>
    public static bool AreModes(PoolingModes modes) => modes != PoolingModes.None && (modes & ~All) == 0;

    /// <summary>Elements of a pooled vector before truncation: the hidden size times the number of modes.</summary>
    public static int FullDimension(int hiddenSize, PoolingModes modes) => hiddenSize * BitOperations.PopCount((uint)modes);

    /// <summary>Elements of the vectors that <paramref name="options"/> ask for.</summary>
    /// <exception cref="ArgumentException">No mode, an unknown mode, or a dimension outside 0..full.</exception>
    public static int Dimension(int hiddenSize, PoolingOptions options)
    {
        if (!AreModes(options.Pooling))
        {
            throw new ArgumentException($"Pooling is '{options.Pooling}'; give one or more of {All}.", nameof(options));
        }
        int full = FullDimension(hiddenSize, options.Pooling);
        if (options.Dimension < 0 || options.Dimension > full)
        {
            throw new ArgumentException($"Dimension is {options.Dimension}; {options.Pooling} pooling of this model gives {full} elements. Ask for 1 to {full}, or 0 for all of them.", nameof(options));
        }
        return options.Dimension == 0 ? full : options.Dimension;
    }

    /// <summary>Pools one sentence: modes in their fixed order, concatenated, then truncated, then normalised.</summary>
    /// <param name="tokens">[tokens, hidden] after the final layer norm.</param>
    /// <param name="hiddenSize">Width of a token vector.</param>
    /// <param name="poolFrom">
    /// How many leading tokens to leave out. A token keeps the weight of its position in the whole text, left-out tokens counted (the reference masks a prompt that is not pooled and goes
    /// on weighing by absolute position); the first token is the first that is not left out. Nothing left gives zeros.
    /// </param>
    /// <param name="options">Modes, dimension, normalisation; checked by <see cref="Dimension"/>.</param>
    /// <param name="vector">Output, the dimension of <paramref name="options"/>.</param>
    public static void Apply(ReadOnlySpan<float> tokens, int hiddenSize, int poolFrom, PoolingOptions options, Span<float> vector)
    {
        vector.Clear();
        int count = tokens.Length / hiddenSize;
        if (poolFrom >= count)
        {
            return;
        }
        float[] pooled = new float[hiddenSize];
        for (int bit = 0, start = 0; start < vector.Length; bit++)
        {
            var mode = (PoolingModes)(1 << bit);
            if ((options.Pooling & mode) != 0)
            {
                Pool(mode, tokens, count, poolFrom, pooled);
                int kept = Math.Min(hiddenSize, vector.Length - start);
                pooled.AsSpan(0, kept).CopyTo(vector[start..]);
                start += kept;
            }
        }
        if (options.Normalize)
        {
            Normalize(vector);
        }
    }

    private static void Pool(PoolingModes mode, ReadOnlySpan<float> tokens, int count, int from, Span<float> pooled)
    {
        int width = pooled.Length;
        int only = mode == PoolingModes.LastToken ? count - 1 : from;
        tokens.Slice(only * width, width).CopyTo(pooled);
        if (mode is PoolingModes.FirstToken or PoolingModes.LastToken)
        {
            return;
        }
        if (mode == PoolingModes.WeightedMean)
        {
            TensorPrimitives.Multiply(pooled, from + 1f, pooled);
        }
        for (int token = from + 1; token < count; token++)
        {
            ReadOnlySpan<float> state = tokens.Slice(token * width, width);
            switch (mode)
            {
                case PoolingModes.Max:
                    TensorPrimitives.Max(pooled, state, pooled);
                    break;
                case PoolingModes.WeightedMean:
                    TensorPrimitives.MultiplyAdd(state, token + 1f, pooled, pooled);
                    break;
                default:
                    TensorPrimitives.Add(pooled, state, pooled);
                    break;
            }
        }
        double pooledCount = count - from;
        double divisor = mode switch
        {
            PoolingModes.Mean => pooledCount,
            PoolingModes.MeanSqrtLength => Math.Sqrt(pooledCount),
            PoolingModes.WeightedMean => pooledCount * (from + 1.0 + count) / 2,
            _ => 1,
        };
        TensorPrimitives.Divide(pooled, (float)divisor, pooled);
    }

    /// <summary>Divides by the Euclidean norm, summed in double so that large elements do not overflow when squared.</summary>
    public static void Normalize(Span<float> vector)
    {
        double squares = 0;
        foreach (float value in vector)
        {
            squares += (double)value * value;
        }
        TensorPrimitives.Divide(vector, (float)Math.Max(Math.Sqrt(squares), SmallestNorm), vector);
    }
}
