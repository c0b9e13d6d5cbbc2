namespace Microsoft.ML.Lacos.Bloom;

/// <summary>A linear layer <c>y = W x + b</c> applied to the tokens of a group of sentences, in one of the arithmetics of <see cref="BloomCompute"/>.</summary>
/// <remarks>The order of the operations behind one output element is fixed: it depends neither on the other tokens nor on the threads.</remarks>
internal abstract class LinearLayer
{
    /// <summary>Weight rows that one thread takes at a time.</summary>
    protected const int PanelRows = 64;

    /// <summary>Token rows gone through before the next weights are fetched, so that they stay in the nearest cache.</summary>
    protected const int TokenBlock = 16;

    /// <summary>Multiplications below which starting a second thread costs more than it saves.</summary>
    private const long WorthwhileProducts = 1L << 21;

    protected LinearLayer(LinearWeights weights) => Weights = weights;

    /// <summary>Weight matrix and bias.</summary>
    protected LinearWeights Weights { get; }

    /// <summary>Length of an input row.</summary>
    public int InFeatures => Weights.Weight.Columns;

    /// <summary>Length of an output row.</summary>
    public int OutFeatures => Weights.Weight.Rows;

    /// <summary>Applies the layer.</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="rowOffsets">Where each sentence starts, and the token count: some decisions are a sentence's own.</param>
    /// <param name="y">Output, [tokens, out]; must not overlap <paramref name="x"/>.</param>
    /// <param name="buffers">Scratch of the calling group.</param>
    /// <param name="threads">Threads to use at most.</param>
    public abstract void Apply(ReadOnlySpan<float> x, ReadOnlySpan<int> rowOffsets, Span<float> y, EncoderBuffers buffers, int threads);

    /// <summary>Threads worth using for this many tokens.</summary>
    protected int Degree(int tokens, int threads) => (long)tokens * InFeatures * OutFeatures < WorthwhileProducts ? 1 : threads;
}
