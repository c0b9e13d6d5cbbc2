using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>The BLOOM encoder in fp32, sentence by sentence, in the order of the architecture (transformers, <c>modeling_bloom.py</c>): what every faster path is judged against.</summary>
/// <remarks>
/// Weights of any scheme are accepted; quantised ones are dequantised, so that the arithmetic stays fp32. Sentences are shared out among threads, and a sentence is computed by one thread
/// without any padding. Agrees with the reference implementation to 2e-5 of the largest value, in every block.
/// A NaN or infinite weight or activation gives NaN elements, never an exception.
/// </remarks>
public sealed class Float32BloomEncoder : IBloomEncoder
{
    private readonly BloomWeights _weights;
    private readonly Block[] _blocks;
    private readonly float[] _slopes;
    private readonly int _threads;
    private readonly HeldWeights _held;

    /// <summary>Prepares an encoder.</summary>
    /// <param name="weights">Weights, used in place; their memory is held until the encoder is disposed.</param>
    /// <param name="threadCount">Threads to use at most; 0 for <c>LACOS_NUM_THREADS</c>, else as many as CPU affinity and the container's quota allow.</param>
    /// <exception cref="ArgumentException">A part of the weights is missing or its shape does not fit the configuration, or the thread count is negative.</exception>
    /// <exception cref="ObjectDisposedException">The model of the weights has been disposed, and their memory given back.</exception>
    public Float32BloomEncoder(BloomWeights weights, int threadCount = 0)
    {
        BloomShapes.Check(weights);
        _weights = weights;
        _threads = EncoderThreads.Resolve(threadCount);
        _slopes = Alibi.Slopes(weights.Config.HeadCount);
        _blocks = [.. weights.Blocks.Select(block => new Block(block))];
        _held = new HeldWeights(weights);
    }

    /// <inheritdoc/>
    public BloomConfig Config => _weights.Config;

    /// <inheritdoc/>
    public BloomCompute Compute => BloomCompute.Float32;

    /// <inheritdoc/>
    public string Description => $"managed fp32 reference, {_threads} {(_threads == 1 ? "thread" : "threads")}";

    /// <inheritdoc/>
    public unsafe void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors)
    {
        int rows = RaggedBatch.Check(Config, tokenIds, rowOffsets);
        int dimension = RaggedBatch.CheckPooling(Config, rows, poolFrom, options, vectors);
        int[] from = poolFrom.Length == 0 ? new int[rows] : poolFrom.ToArray();
        fixed (float* output = vectors)
        {
            float* result = output;
            ForEachRow(tokenIds, rowOffsets, null, (row, states) =>
                Pooling.Apply(states, Config.HiddenSize, from[row], options, new Span<float>(result + ((long)row * dimension), dimension)));
        }
    }

    /// <inheritdoc/>
    public void EncodeTokens(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, Span<float> hiddenStates) =>
        EncodeTokens(tokenIds, rowOffsets, hiddenStates, null);

    /// <summary>As the public method, and shows the observer every block's input and the last block's output. The observer is called from several threads.</summary>
    internal unsafe void EncodeTokens(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, Span<float> hiddenStates, BlockObserver? observer)
    {
        RaggedBatch.Check(Config, tokenIds, rowOffsets);
        RaggedBatch.CheckLength(hiddenStates.Length, tokenIds.Length, Config.HiddenSize, nameof(hiddenStates));
        int[] offsets = rowOffsets.ToArray();
        fixed (float* output = hiddenStates)
        {
            float* result = output;
            ForEachRow(tokenIds, rowOffsets, observer, (row, states) =>
                states.CopyTo(new Span<float>(result + ((long)offsets[row] * Config.HiddenSize), states.Length)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    private delegate void RowResult(int row, ReadOnlySpan<float> states);

    private void ForEachRow(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, BlockObserver? observer, RowResult result)
    {
        int[] ids = tokenIds.ToArray(), offsets = rowOffsets.ToArray();
        _held.BeginCall(this);
        try
        {
            EncoderThreads.Run(offsets.Length - 1, _threads, row => result(row, Forward(ids.AsSpan(offsets[row], offsets[row + 1] - offsets[row]), row, observer)));
        }
        finally
        {
            _held.EndCall();
        }
    }

    /// <summary>One sentence, from token ids to the vectors after the final layer norm.</summary>
    private float[] Forward(ReadOnlySpan<int> ids, int row, BlockObserver? observer)
    {
        int tokens = ids.Length, hidden = Config.HiddenSize;
        float epsilon = Config.LayerNormEpsilon;
        float[] x = new float[tokens * hidden], normed = new float[x.Length], context = new float[x.Length], projected = new float[x.Length];
        float[] queryKeyValue = new float[3 * x.Length], inner = new float[4 * x.Length], scores = new float[tokens];

        for (int token = 0; token < tokens; token++)
        {
            _weights.WordEmbeddings.DequantizeHeldRow(ids[token], x.AsSpan(token * hidden, hidden));
        }
        LayerNorm.Apply(x, _weights.WordEmbeddingsLayerNorm, epsilon, x);

        for (int i = 0; i < _blocks.Length; i++)
        {
            observer?.Invoke(row, i, x);
            Block block = _blocks[i];

            LayerNorm.Apply(x, block.Weights.InputLayerNorm, epsilon, normed);
            block.QueryKeyValue.Apply(normed, tokens, queryKeyValue);
            for (int head = 0; head < _slopes.Length; head++)
            {
                Attention.ApplyHead(queryKeyValue, head, Config.HeadSize, _slopes[head], context, hidden, scores);
            }
            block.Dense.Apply(context, tokens, projected);
            TensorPrimitives.Add(Config.ResidualPostLayerNorm ? normed : x, projected, x);

            LayerNorm.Apply(x, block.Weights.PostAttentionLayerNorm, epsilon, normed);
            block.DenseHTo4H.Apply(normed, tokens, inner);
            Gelu.ApplyInPlace(inner, Config.FeedForwardSize);
            block.Dense4HToH.Apply(inner, tokens, projected);
            TensorPrimitives.Add(Config.ResidualPostLayerNorm ? normed : x, projected, x);
        }
        observer?.Invoke(row, _blocks.Length, x);
        LayerNorm.Apply(x, _weights.FinalLayerNorm, epsilon, x);
        return x;
    }

    private sealed class Block(BloomBlockWeights weights)
    {
        public BloomBlockWeights Weights { get; } = weights;

        public Float32Linear QueryKeyValue { get; } = new(weights.QueryKeyValue);

        public Float32Linear Dense { get; } = new(weights.Dense);

        public Float32Linear DenseHTo4H { get; } = new(weights.DenseHTo4H);

        public Float32Linear Dense4HToH { get; } = new(weights.Dense4HToH);
    }
}
