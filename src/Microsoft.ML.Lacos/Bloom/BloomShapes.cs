using System.Globalization;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Checks that weights fit their configuration, before an encoder reads them by address.</summary>
internal static class BloomShapes
{
    /// <summary>Checks every shape.</summary>
    /// <exception cref="ArgumentException">A part is missing, or a shape or the epsilon does not fit; the message names the weight, both shapes and what to do.</exception>
    public static void Check(BloomWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        BloomConfig config = Present("Config", weights.Config);
        int hidden = config.HiddenSize;
        if (hidden <= 0 || config.HeadCount <= 0 || hidden % config.HeadCount != 0 || hidden > Array.MaxLength / 4)
        {
            throw new ArgumentException($"A hidden size of {hidden} cannot be split among {config.HeadCount} heads; the configuration does not describe a BLOOM. Load the checkpoint with its own config.json.", nameof(weights));
        }
        if (!float.IsFinite(config.LayerNormEpsilon) || config.LayerNormEpsilon < 0)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The layer norms' epsilon is {config.LayerNormEpsilon}; it must be a number from 0. Load the checkpoint with its own config.json."), nameof(weights));
        }
        if (Present("Blocks", weights.Blocks).Count != config.LayerCount)
        {
            throw new ArgumentException($"The configuration says {config.LayerCount} blocks and there are weights for {weights.Blocks.Count}. Load the checkpoint with its own config.json.", nameof(weights));
        }
        Matrix("word_embeddings", weights.WordEmbeddings, config.VocabularySize, hidden);
        Norm("word_embeddings_layernorm", weights.WordEmbeddingsLayerNorm, hidden);
        for (int i = 0; i < weights.Blocks.Count; i++)
        {
            BloomBlockWeights block = Present($"h.{i}", weights.Blocks[i]);
            Norm($"h.{i}.input_layernorm", block.InputLayerNorm, hidden);
            Linear($"h.{i}.self_attention.query_key_value", block.QueryKeyValue, 3 * hidden, hidden);
            Linear($"h.{i}.self_attention.dense", block.Dense, hidden, hidden);
            Norm($"h.{i}.post_attention_layernorm", block.PostAttentionLayerNorm, hidden);
            Linear($"h.{i}.mlp.dense_h_to_4h", block.DenseHTo4H, config.FeedForwardSize, hidden);
            Linear($"h.{i}.mlp.dense_4h_to_h", block.Dense4HToH, hidden, config.FeedForwardSize);
        }
        Norm("ln_f", weights.FinalLayerNorm, hidden);
    }

    // Weights put together in code may lack what the types promise.
    private static T Present<T>(string name, T? part)
        where T : class => part ?? throw new ArgumentException($"The weights lack '{name}', which is null. Give every part of the model.", "weights");

    private static void Linear(string name, LinearWeights linear, int rows, int columns)
    {
        Matrix(name, Present(name, linear).Weight, rows, columns);
        Vector(name + ".bias", linear.Bias, rows);
    }

    private static void Norm(string name, LayerNormWeights norm, int width)
    {
        Vector(name + ".weight", Present(name, norm).Weight, width);
        Vector(name + ".bias", norm.Bias, width);
    }

    private static void Matrix(string name, WeightMatrix matrix, int rows, int columns)
    {
        if (Present(name, matrix).Rows != rows || matrix.Columns != columns)
        {
            throw new ArgumentException($"{name}.weight is {matrix.Rows} x {matrix.Columns} and its configuration asks for {rows} x {columns}. Load the checkpoint with its own config.json.");
        }
    }

    private static void Vector(string name, float[] vector, int length)
    {
        if (Present(name, vector).Length != length)
        {
            throw new ArgumentException($"{name} has {vector.Length} elements and its configuration asks for {length}. Load the checkpoint with its own config.json.");
        }
    }
}
