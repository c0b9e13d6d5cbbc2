using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Gain and bias of a layer norm, each of the hidden size.</summary>
/// <param name="Weight">Gain.</param>
/// <param name="Bias">Bias.</param>
public sealed record LayerNormWeights(float[] Weight, float[] Bias)
{
    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);
}

/// <summary>A linear layer <c>y = W x + b</c>.</summary>
/// <param name="Weight">[out, in].</param>
/// <param name="Bias">[out].</param>
public sealed record LinearWeights(WeightMatrix Weight, float[] Bias)
{
    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);
}

/// <summary>One transformer block.</summary>
/// <param name="InputLayerNorm">Before attention.</param>
/// <param name="QueryKeyValue">[3 * hidden, hidden]; rows interleaved by head as [head, (query, key, value), head size].</param>
/// <param name="Dense">Attention output projection, [hidden, hidden].</param>
/// <param name="PostAttentionLayerNorm">Before the feed-forward layer.</param>
/// <param name="DenseHTo4H">[4 * hidden, hidden].</param>
/// <param name="Dense4HToH">[hidden, 4 * hidden].</param>
public sealed record BloomBlockWeights(
    LayerNormWeights InputLayerNorm,
    LinearWeights QueryKeyValue,
    LinearWeights Dense,
    LayerNormWeights PostAttentionLayerNorm,
    LinearWeights DenseHTo4H,
    LinearWeights Dense4HToH)
{
    /// <summary>The linear layers, in the order in which they are computed.</summary>
    internal IEnumerable<LinearWeights> Linears => [QueryKeyValue, Dense, DenseHTo4H, Dense4HToH];
}

/// <summary>All weights of a BLOOM encoder, without the language-model head.</summary>
/// <param name="Config">Shape.</param>
/// <param name="WordEmbeddings">[vocabulary, hidden].</param>
/// <param name="WordEmbeddingsLayerNorm">Right after the embedding table.</param>
/// <param name="Blocks">Blocks in order.</param>
/// <param name="FinalLayerNorm"><c>ln_f</c>.</param>
public sealed record BloomWeights(
    BloomConfig Config,
    WeightMatrix WordEmbeddings,
    LayerNormWeights WordEmbeddingsLayerNorm,
    IReadOnlyList<BloomBlockWeights> Blocks,
    LayerNormWeights FinalLayerNorm)
{
    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);
}
