using System.Text;
using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>The encoder in <c>lacos_native</c>.</summary>
/// <remarks>
/// Thread-safe. A call takes its caller's thread and those of the pool that running calls do not need; how many it gets changes no bit.
/// In <see cref="BloomCompute.Int8"/> the linear layers are packed at construction, unless they lie in the kernels' panels already; these, the weights in the other modes,
/// and the embedding table always, are read from the memory of the <see cref="BloomWeights"/>, which this object keeps alive.
/// </remarks>
internal sealed unsafe class NativeBloomEncoder : IBloomEncoder
{
    private readonly NativeModelHandle _model;
    private readonly BloomWeights _weights;

    /// <summary>Packs a model.</summary>
    /// <param name="weights">Weights; read as long as this object lives.</param>
    /// <param name="compute">Arithmetic of the linear layers.</param>
    /// <param name="outlierThreshold">LLM.int8: columns of a sentence in which any |x| reaches this run in fp32; 0 for none. Only for <see cref="BloomCompute.Int8"/>.</param>
    /// <param name="threadCount">Threads of one call; 0 for <c>LACOS_NUM_THREADS</c>, else what affinity and the CPU quota allow.</param>
    /// <param name="isa">Kernels to use, for example <c>avx2</c>; <see langword="null"/> for <c>LACOS_FORCE_ISA</c>, else the fastest that runs here.</param>
    /// <exception cref="PlatformNotSupportedException">The native library or the kernels asked for are not available.</exception>
    /// <exception cref="ArgumentException">A weight has the wrong shape, is not finite, or does not fit the arithmetic.</exception>
    public NativeBloomEncoder(BloomWeights weights, BloomCompute compute, float outlierThreshold = 0f, int threadCount = 0, string? isa = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (!NativeLibraryLoader.IsAvailable)
        {
            throw new PlatformNotSupportedException($"The native library is not available: {NativeLibraryLoader.UnavailableReason}");
        }
        if (weights.Blocks.Count != weights.Config.LayerCount)
        {
            throw new ArgumentException($"The weights hold {weights.Blocks.Count} blocks; the configuration names {weights.Config.LayerCount}.", nameof(weights));
        }
        _weights = weights;
        Compute = compute;
        TakesPrompts = outlierThreshold == 0;
        _model = Create(weights, compute, outlierThreshold, threadCount, isa);
        Isa = NativeKernelInfo.Text(NativeMethods.lacos_model_isa(_model));
        if (compute == BloomCompute.Int8)
        {
            NativeWeights.LetGoOfLinears(weights, Isa);
        }
        int threads = NativeMethods.lacos_model_thread_count(_model);
        Description = $"native {Isa}, {threads} {(threads == 1 ? "thread" : "threads")}";
    }

    /// <inheritdoc/>
    public BloomConfig Config => _weights.Config;

    /// <inheritdoc/>
    public BloomCompute Compute { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>Name of the kernels that run.</summary>
    public string Isa { get; }

    /// <summary>Whether <see cref="Prepare"/> can be called: outlier columns depend on whole sentences.</summary>
    public bool TakesPrompts { get; }

    /// <summary>Bytes that the packed weights take.</summary>
    public long PackedBytes => NativeMethods.lacos_model_memory(_model);

    /// <summary>Computes what the layers make of tokens that many rows begin with: 12 * hidden size bytes a token and layer.</summary>
    /// <param name="promptIds">Token ids, at least one.</param>
    /// <returns>For <see cref="Encode(ReadOnlySpan{int}, ReadOnlySpan{int}, ReadOnlySpan{int}, NativePromptHandle, PoolingOptions, Span{float})"/> of this object.</returns>
    /// <exception cref="ArgumentException">An id outside the vocabulary, or none.</exception>
    public NativePromptHandle Prepare(ReadOnlySpan<int> promptIds)
    {
        NativePromptHandle prompt;
        fixed (int* ids = promptIds)
        {
            NativeMethods.Check(NativeMethods.lacos_prompt_create(_model, ids, promptIds.Length, out prompt));
        }
        prompt.Weigh();
        GC.KeepAlive(this);
        return prompt;
    }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors) =>
        Encode(tokenIds, rowOffsets, poolFrom, NativePromptHandle.None, options, vectors);

    /// <summary>Encodes rows; their leading tokens that are the prompt's too are not computed again. Changes no bit.</summary>
    public void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, NativePromptHandle prompt, PoolingOptions options, Span<float> vectors)
    {
        int rows = RowCount(rowOffsets);
        if (!poolFrom.IsEmpty && poolFrom.Length != rows)
        {
            throw new ArgumentException($"{poolFrom.Length} values for {rows} rows; pass one a row, or none.", nameof(poolFrom));
        }
        fixed (int* ids = tokenIds)
        fixed (int* offsets = rowOffsets)
        fixed (int* from = poolFrom)
        fixed (float* output = vectors)
        {
            NativeMethods.Check(NativeMethods.lacos_encode(_model, prompt, ids, tokenIds.Length, offsets, rows, from, (int)options.Pooling, options.Dimension, options.Normalize ? 1 : 0, output, vectors.Length));
        }
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void EncodeTokens(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, Span<float> hiddenStates)
    {
        int rows = RowCount(rowOffsets);
        fixed (int* ids = tokenIds)
        fixed (int* offsets = rowOffsets)
        fixed (float* output = hiddenStates)
        {
            NativeMethods.Check(NativeMethods.lacos_encode_tokens(_model, ids, tokenIds.Length, offsets, rows, output, hiddenStates.Length));
        }
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private static int RowCount(ReadOnlySpan<int> rowOffsets) =>
        rowOffsets.Length > 0 ? rowOffsets.Length - 1 : throw new ArgumentException("No offsets; pass rows + 1 of them.", nameof(rowOffsets));

    private static NativeModelHandle Create(BloomWeights weights, BloomCompute compute, float outlierThreshold, int threadCount, string? isa)
    {
        using var arrays = new PinnedArrays();
        var blocks = new NativeBlock[weights.Blocks.Count];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = NativeWeights.Block(weights.Blocks[i], weights.Config.HiddenSize, arrays);
        }
        NativeMatrix embeddings = NativeWeights.Matrix(weights.WordEmbeddings, arrays);
        NativeLayerNorm embeddingsNorm = NativeWeights.Norm(weights.WordEmbeddingsLayerNorm, weights.Config.HiddenSize, arrays);
        NativeLayerNorm finalNorm = NativeWeights.Norm(weights.FinalLayerNorm, weights.Config.HiddenSize, arrays);
        NativeModelHandle model;
        fixed (byte* isaText = isa is null ? null : Encoding.UTF8.GetBytes(isa + '\0'))
        fixed (NativeBlock* firstBlock = blocks)
        {
            NativeModelConfig native = NativeWeights.Config(weights.Config, compute);
            native.OutlierThreshold = outlierThreshold;
            native.ThreadCount = threadCount;
            native.Isa = isaText;
            NativeMethods.Check(NativeMethods.lacos_model_create(&native, &embeddings, &embeddingsNorm, firstBlock, &finalNorm, out model));
        }
        GC.KeepAlive(weights);
        return model;
    }
}
