namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Names and shapes of the tensors of a BLOOM checkpoint, as transformers saves them from <c>BloomModel</c>.</summary>
internal static class BloomTensorNames
{
    public const string WordEmbeddings = "word_embeddings";
    public const string WordEmbeddingsLayerNorm = "word_embeddings_layernorm";
    public const string FinalLayerNorm = "ln_f";

    /// <summary>Prefix that a checkpoint saved with a language-model head puts before every name.</summary>
    public const string OptionalPrefix = "transformer.";

    public static string InputLayerNorm(int layer) => $"h.{layer}.input_layernorm";

    public static string PostAttentionLayerNorm(int layer) => $"h.{layer}.post_attention_layernorm";

    public static string QueryKeyValue(int layer) => $"h.{layer}.self_attention.query_key_value";

    public static string Dense(int layer) => $"h.{layer}.self_attention.dense";

    public static string DenseHTo4H(int layer) => $"h.{layer}.mlp.dense_h_to_4h";

    public static string Dense4HToH(int layer) => $"h.{layer}.mlp.dense_4h_to_h";
}
