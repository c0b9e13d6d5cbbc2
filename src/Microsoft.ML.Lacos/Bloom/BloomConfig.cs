namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Shape of a BLOOM encoder (Hugging Face <c>BloomConfig</c>).</summary>
/// <param name="HiddenSize">Width of the residual stream (<c>hidden_size</c>, older files <c>n_embed</c>).</param>
/// <param name="LayerCount">Blocks (<c>n_layer</c>, <c>num_hidden_layers</c>).</param>
/// <param name="HeadCount">Attention heads (<c>n_head</c>, <c>num_attention_heads</c>).</param>
/// <param name="VocabularySize">Rows of the embedding table (<c>vocab_size</c>).</param>
/// <param name="LayerNormEpsilon">Added to the variance in every layer norm (<c>layer_norm_epsilon</c>).</param>
/// <param name="ResidualPostLayerNorm">Whether the residual is taken after the layer norm (<c>apply_residual_connection_post_layernorm</c>).</param>
public sealed record BloomConfig(int HiddenSize, int LayerCount, int HeadCount, int VocabularySize, float LayerNormEpsilon = 1e-5f, bool ResidualPostLayerNorm = false)
{
    /// <summary>Width of one attention head.</summary>
    public int HeadSize => HiddenSize / HeadCount;

    /// <summary>Width of the feed-forward layer, always four times the hidden size in BLOOM.</summary>
    public int FeedForwardSize => 4 * HiddenSize;
}
