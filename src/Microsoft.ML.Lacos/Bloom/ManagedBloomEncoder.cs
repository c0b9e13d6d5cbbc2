using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>The 8-bit BLOOM encoder without native code: vectorised .NET for machines that the native library is not built for.</summary>
/// <remarks>
/// <para>
/// <see cref="BloomCompute.Int8"/>: row-wise weights used in place, token rows quantised as they come (<c>round_half_even(x * (127 / absmax))</c>), exact int32 sums, everything else in fp32.
/// From equal numbers the integers equal the native encoder's. Its fp32 sums have another order, so that now and then a number falls on the other side of a code's boundary:
/// vectors agree to 1e-5 in mean cosine, single sentences to a few 1e-5. <see cref="BloomCompute.Int8WeightOnly"/>: weights of any scheme, dequantised panel by panel, fp32 arithmetic.
/// </para>
/// <para>
/// A batch is cut into groups of about <c>128</c> tokens, which threads take one after the other; threads left over share the panels of a layer. No sum is ever split, so a sentence's bits are
/// the same in any batch, order and thread count. Tokens that a sentence of a group shares with the one before it are computed once. A NaN or infinity in the weights gives NaN elements, never an exception.
/// </para>
/// </remarks>
public sealed class ManagedBloomEncoder : IBloomEncoder
{
    /// <summary>Enough tokens to use each weight many times, few enough for the activations to stay in the second-level cache.</summary>
    private const int GroupTokens = 128;

    private readonly BloomWeights _weights;
    private readonly Block[] _blocks;
    private readonly float[] _slopes;
    private readonly int _threads;
    private readonly bool _hasOutliers;
    private readonly ConcurrentBag<EncoderBuffers> _buffers = [];
    private readonly HeldWeights _held;

    /// <summary>Prepares an encoder.</summary>
    /// <param name="weights">Weights, used in place; their memory is held until the encoder is disposed.</param>
    /// <param name="compute"><see cref="BloomCompute.Int8"/> (row-wise weights only) or <see cref="BloomCompute.Int8WeightOnly"/> (any scheme).</param>
    /// <param name="outlierThreshold">
    /// Feature columns in which a sentence has a magnitude of at least this much are computed in fp32, decided sentence by sentence (LLM.int8; the reference's value is 6.0). 0 for none.
    /// Only for <see cref="BloomCompute.Int8"/>.
    /// </param>
    /// <param name="threadCount">Threads to use at most; 0 for <c>LACOS_NUM_THREADS</c>, else as many as CPU affinity and the container's quota allow.</param>
    /// <exception cref="ArgumentException">The arithmetic does not go with the weights, a part of the weights is missing or its shape does not fit the configuration, or a number is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The model of the weights has been disposed, and their memory given back.</exception>
    public ManagedBloomEncoder(BloomWeights weights, BloomCompute compute = BloomCompute.Int8, float outlierThreshold = 0, int threadCount = 0)
    {
        BloomShapes.Check(weights);
        if (compute is not (BloomCompute.Int8 or BloomCompute.Int8WeightOnly))
        {
            throw new ArgumentException($"Compute is {compute}; this encoder does {BloomCompute.Int8} and {BloomCompute.Int8WeightOnly}. Use {nameof(Float32BloomEncoder)} for fp32.", nameof(compute));
        }
        if (!(outlierThreshold >= 0) || float.IsInfinity(outlierThreshold))
        {
            throw new ArgumentOutOfRangeException(nameof(outlierThreshold), outlierThreshold, "The outlier threshold must be a positive number, or 0 for none.");
        }
        if (outlierThreshold > 0 && compute != BloomCompute.Int8)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The outlier threshold is {outlierThreshold} and compute is {compute}, which has no int8 activations to protect from outliers. Leave the threshold at 0."), nameof(outlierThreshold));
        }
        _weights = weights;
        _threads = EncoderThreads.Resolve(threadCount);
        _hasOutliers = outlierThreshold > 0;
        _slopes = Alibi.Slopes(weights.Config.HeadCount);
        Compute = compute;
        _held = new HeldWeights(weights);
        try
        {
            _blocks = [.. weights.Blocks.Select(block => new Block(block, linear => compute == BloomCompute.Int8 ? new Int8Linear(linear, outlierThreshold) : new Float32Linear(linear)))];
        }
        catch
        {
            _held.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public BloomConfig Config => _weights.Config;

    /// <inheritdoc/>
    public BloomCompute Compute { get; }

    /// <inheritdoc/>
    public string Description => $"managed {(Compute == BloomCompute.Int8 ? "int8" : "int8 weight-only")}, {_threads} {(_threads == 1 ? "thread" : "threads")}";

    /// <inheritdoc/>
    public unsafe void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors)
    {
        int rows = RaggedBatch.Check(Config, tokenIds, rowOffsets);
        int dimension = RaggedBatch.CheckPooling(Config, rows, poolFrom, options, vectors);
        int[] from = poolFrom.Length == 0 ? new int[rows] : poolFrom.ToArray(), offsets = rowOffsets.ToArray();
        int hidden = Config.HiddenSize;
        fixed (float* output = vectors)
        {
            float* result = output;
            // Columns that are outliers in one sentence need not be in another that begins like it.
            ForEachGroup(tokenIds, offsets, share: !_hasOutliers, (first, rows, states) =>
            {
                float[] gathered = [];
                for (int i = 0; i < rows.SentenceCount; i++)
                {
                    ReadOnlySpan<int> own = rows.RowsOf(i);
                    ReadOnlySpan<float> tokens;
                    if (rows.SharedTokens(i) == 0)
                    {
                        tokens = own.IsEmpty ? [] : states.Slice(own[0] * hidden, own.Length * hidden);
                    }
                    else
                    {
                        gathered = gathered.Length >= own.Length * hidden ? gathered : new float[own.Length * hidden];
                        rows.Gather(i, states, hidden, 0, hidden, gathered);
                        tokens = gathered.AsSpan(0, own.Length * hidden);
                    }
                    Pooling.Apply(tokens, hidden, from[first + i], options, new Span<float>(result + ((long)(first + i) * dimension), dimension));
                }
            });
        }
    }

    /// <inheritdoc/>
    public unsafe void EncodeTokens(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, Span<float> hiddenStates)
    {
        RaggedBatch.Check(Config, tokenIds, rowOffsets);
        RaggedBatch.CheckLength(hiddenStates.Length, tokenIds.Length, Config.HiddenSize, nameof(hiddenStates));
        int[] offsets = rowOffsets.ToArray();
        fixed (float* output = hiddenStates)
        {
            float* result = output;
            ForEachGroup(tokenIds, offsets, share: false, (first, _, states) =>
                states.CopyTo(new Span<float>(result + ((long)offsets[first] * Config.HiddenSize), states.Length)));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held.Dispose();
        _buffers.Clear();
    }

    private delegate void GroupResult(int firstSentence, SharedRows rows, ReadOnlySpan<float> states);

    private void ForEachGroup(ReadOnlySpan<int> tokenIds, int[] offsets, bool share, GroupResult result)
    {
        int[] ids = tokenIds.ToArray();
        int[] groups = RaggedBatch.Groups(share ? SharedRows.Ends(tokenIds, offsets) : offsets, GroupTokens);
        int count = groups.Length - 1;
        int threadsPerGroup = Math.Max(1, _threads / Math.Max(1, count));
        _held.BeginCall(this);
        try
        {
            EncoderThreads.Run(count, _threads, group =>
            {
                int first = groups[group], end = groups[group + 1];
                int[] local = [.. offsets.AsSpan(first, end - first + 1)];
                int start = local[0];
                for (int i = 0; i < local.Length; i++)
                {
                    local[i] -= start;
                }
                SharedRows rows = SharedRows.Of(ids.AsSpan(start, local[^1]), local, share);
                EncoderBuffers buffers = _buffers.TryTake(out EncoderBuffers? used) ? used : new EncoderBuffers(Config);
                buffers.Reserve(rows.Ids.Length);
                // Where rows are shared, layers need not know whose a row is.
                result(first, rows, Forward(rows, rows.AnyShared ? [0, rows.Ids.Length] : local, buffers, threadsPerGroup));
                _buffers.Add(buffers);
            });
        }
        finally
        {
            _held.EndCall();
        }
    }

    /// <summary>A group of sentences, from token ids to the vectors after the final layer norm.</summary>
    private Span<float> Forward(SharedRows rows, int[] offsets, EncoderBuffers buffers, int threads)
    {
        int tokens = rows.Ids.Length, hidden = Config.HiddenSize;
        float epsilon = Config.LayerNormEpsilon;
        Span<float> x = buffers.States(tokens), normed = buffers.Normed(tokens), projected = buffers.Projected(tokens);
        Span<float> residual = Config.ResidualPostLayerNorm ? normed : x;
        Memory<float> queryKeyValue = buffers.QueryKeyValue(tokens), context = buffers.Context(tokens);
        Span<float> inner = buffers.FeedForward(tokens);
        for (int token = 0; token < tokens; token++)
        {
            _weights.WordEmbeddings.DequantizeHeldRow(rows.Ids[token], x.Slice(token * hidden, hidden));
        }
        LayerNorm.Apply(x, _weights.WordEmbeddingsLayerNorm, epsilon, x);
        foreach (Block block in _blocks)
        {
            LayerNorm.Apply(x, block.Weights.InputLayerNorm, epsilon, normed);
            block.QueryKeyValue.Apply(normed, offsets, queryKeyValue.Span, buffers, threads);
            Attend(queryKeyValue, rows, context, threads);
            block.Dense.Apply(context.Span, offsets, projected, buffers, threads);
            TensorPrimitives.Add(residual, projected, x);

            LayerNorm.Apply(x, block.Weights.PostAttentionLayerNorm, epsilon, normed);
            block.DenseHTo4H.Apply(normed, offsets, inner, buffers, threads);
            Gelu.ApplyInPlace(inner, Config.FeedForwardSize);
            block.Dense4HToH.Apply(inner, offsets, projected, buffers, threads);
            TensorPrimitives.Add(residual, projected, x);
        }
        LayerNorm.Apply(x, _weights.FinalLayerNorm, epsilon, x);
        return x;
    }

    private void Attend(Memory<float> queryKeyValue, SharedRows rows, Memory<float> context, int threads)
    {
        int hidden = Config.HiddenSize;
        int longest = 0;
        for (int i = 0; i < rows.SentenceCount; i++)
        {
            longest = Math.Max(longest, rows.RowsOf(i).Length);
        }
        EncoderThreads.Run(_slopes.Length, threads, head =>
        {
            float[] scores = ArrayPool<float>.Shared.Rent(longest);
            for (int i = 0; i < rows.SentenceCount; i++)
            {
                ReadOnlySpan<int> own = rows.RowsOf(i);
                int shared = rows.SharedTokens(i);
                if (shared == 0 && own.Length > 0)
                {
                    Attention.ApplyHead(
                        queryKeyValue.Span.Slice(3 * own[0] * hidden, 3 * own.Length * hidden), head, Config.HeadSize, _slopes[head],
                        context.Span.Slice(own[0] * hidden, own.Length * hidden), hidden, scores);
                }
                else if (shared < own.Length)
                {
                    AttendBehindShared(queryKeyValue.Span, rows, i, head, context.Span, scores);
                }
            }
            ArrayPool<float>.Shared.Return(scores);
        });
    }

    /// <summary>A head of a sentence of which some rows lie elsewhere and have their context already.</summary>
    private void AttendBehindShared(ReadOnlySpan<float> queryKeyValue, SharedRows rows, int sentence, int head, Span<float> context, Span<float> scores)
    {
        int hidden = Config.HiddenSize, size = Config.HeadSize;
        ReadOnlySpan<int> own = rows.RowsOf(sentence);
        float[] buffer = ArrayPool<float>.Shared.Rent(4 * own.Length * size);
        Span<float> gathered = buffer.AsSpan(0, 3 * own.Length * size), result = buffer.AsSpan(3 * own.Length * size, own.Length * size);
        rows.Gather(sentence, queryKeyValue, 3 * hidden, 3 * head * size, 3 * size, gathered);
        int shared = rows.SharedTokens(sentence);
        Attention.ApplyHead(gathered, 0, size, _slopes[head], result, size, scores, shared);
        for (int token = shared; token < own.Length; token++)
        {
            result.Slice(token * size, size).CopyTo(context[((own[token] * hidden) + (head * size))..]);
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    private sealed class Block(BloomBlockWeights weights, Func<LinearWeights, LinearLayer> linear)
    {
        public BloomBlockWeights Weights { get; } = weights;

        public LinearLayer QueryKeyValue { get; } = linear(weights.QueryKeyValue);

        public LinearLayer Dense { get; } = linear(weights.Dense);

        public LinearLayer DenseHTo4H { get; } = linear(weights.DenseHTo4H);

        public LinearLayer Dense4HToH { get; } = linear(weights.Dense4HToH);
    }
}
