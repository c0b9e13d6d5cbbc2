using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Gives a BLOOM's tensors by name and checks their shapes; what differs between a checkpoint folder and a <c>.lacos</c> file.</summary>
internal interface IBloomTensorSource
{
    /// <summary>A vector of 32-bit floats.</summary>
    /// <param name="name">Name without prefix.</param>
    /// <param name="length">Length it must have.</param>
    float[] Vector(string name, int length);

    /// <summary>A matrix.</summary>
    /// <param name="name">Name without prefix and without <c>.weight</c>.</param>
    /// <param name="rows">Rows it must have.</param>
    /// <param name="columns">Columns it must have.</param>
    WeightMatrix Matrix(string name, int rows, int columns);
}

/// <summary>Puts a BLOOM together from its tensors.</summary>
internal static class BloomAssembly
{
    /// <summary>Asks for every tensor in the order of the forward pass.</summary>
    public static BloomWeights Assemble(BloomConfig config, IBloomTensorSource source)
    {
        int hidden = config.HiddenSize;
        WeightMatrix embeddings = source.Matrix(BloomTensorNames.WordEmbeddings, config.VocabularySize, hidden);
        LayerNormWeights embeddingsNorm = Norm(BloomTensorNames.WordEmbeddingsLayerNorm);
        var blocks = new List<BloomBlockWeights>();
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            blocks.Add(new BloomBlockWeights(
                Norm(BloomTensorNames.InputLayerNorm(layer)),
                Linear(BloomTensorNames.QueryKeyValue(layer), 3 * hidden, hidden),
                Linear(BloomTensorNames.Dense(layer), hidden, hidden),
                Norm(BloomTensorNames.PostAttentionLayerNorm(layer)),
                Linear(BloomTensorNames.DenseHTo4H(layer), config.FeedForwardSize, hidden),
                Linear(BloomTensorNames.Dense4HToH(layer), hidden, config.FeedForwardSize)));
        }
        return new BloomWeights(config, embeddings, embeddingsNorm, blocks, Norm(BloomTensorNames.FinalLayerNorm));

        LayerNormWeights Norm(string name) => new(source.Vector(name + ".weight", hidden), source.Vector(name + ".bias", hidden));

        LinearWeights Linear(string name, int rows, int columns) => new(source.Matrix(name, rows, columns), source.Vector(name + ".bias", rows));
    }
}
