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

    /// <summary>All tensors of a model in the order of a checkpoint, names without prefix; one after the other, because a file says how many layers there are.</summary>
    /// <param name="config">Shape of the model.</param>
    public static IEnumerable<BloomTensor> All(BloomConfig config)
    {
        IEnumerable<BloomTensor> first = [new(WordEmbeddings, config.VocabularySize, config.HiddenSize), .. Norm(WordEmbeddingsLayerNorm, config)];
        return first.Concat(Enumerable.Range(0, config.LayerCount).SelectMany(layer => Layer(layer, config))).Concat(Norm(FinalLayerNorm, config));
    }

    /// <summary>Elements of all matrices.</summary>
    /// <param name="config">Shape of the model.</param>
    public static long MatrixElements(BloomConfig config) => All(config).Sum(tensor => (long)tensor.Rows * tensor.Columns);

    private static BloomTensor[] Layer(int layer, BloomConfig config) =>
    [
        .. Norm(InputLayerNorm(layer), config),
        .. Linear(QueryKeyValue(layer), 3 * config.HiddenSize, config.HiddenSize),
        .. Linear(Dense(layer), config.HiddenSize, config.HiddenSize),
        .. Norm(PostAttentionLayerNorm(layer), config),
        .. Linear(DenseHTo4H(layer), config.FeedForwardSize, config.HiddenSize),
        .. Linear(Dense4HToH(layer), config.HiddenSize, config.FeedForwardSize),
    ];

    private static BloomTensor[] Norm(string name, BloomConfig config) => [new(name + ".weight", config.HiddenSize), new(name + ".bias", config.HiddenSize)];

    private static BloomTensor[] Linear(string name, int rows, int columns) => [new(name, rows, columns), new(name + ".bias", rows)];
}

/// <summary>A tensor of a BLOOM checkpoint.</summary>
/// <param name="Name">Of a vector the whole name, of a matrix without <c>.weight</c>.</param>
/// <param name="Rows">Rows, or the length of a vector.</param>
/// <param name="Columns">Columns; 0 for a vector.</param>
internal readonly record struct BloomTensor(string Name, int Rows, int Columns = 0)
{
    /// <summary>Whether it is a matrix.</summary>
    public bool IsMatrix => Columns > 0;
}
