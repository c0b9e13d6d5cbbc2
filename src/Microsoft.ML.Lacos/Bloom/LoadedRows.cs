using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Rows of weights that are in memory, dequantised as they are read; whoever reads them holds the weights.</summary>
internal sealed class LoadedRows : IBloomRows
{
    private readonly Dictionary<string, float[]> _vectors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WeightMatrix> _matrices = new(StringComparer.Ordinal);

    public LoadedRows(BloomWeights weights)
    {
        Config = weights.Config;
        _matrices.Add(BloomTensorNames.WordEmbeddings, weights.WordEmbeddings);
        AddNorm(BloomTensorNames.WordEmbeddingsLayerNorm, weights.WordEmbeddingsLayerNorm);
        for (int layer = 0; layer < weights.Blocks.Count; layer++)
        {
            BloomBlockWeights block = weights.Blocks[layer];
            AddNorm(BloomTensorNames.InputLayerNorm(layer), block.InputLayerNorm);
            AddLinear(BloomTensorNames.QueryKeyValue(layer), block.QueryKeyValue);
            AddLinear(BloomTensorNames.Dense(layer), block.Dense);
            AddNorm(BloomTensorNames.PostAttentionLayerNorm(layer), block.PostAttentionLayerNorm);
            AddLinear(BloomTensorNames.DenseHTo4H(layer), block.DenseHTo4H);
            AddLinear(BloomTensorNames.Dense4HToH(layer), block.Dense4HToH);
        }
        AddNorm(BloomTensorNames.FinalLayerNorm, weights.FinalLayerNorm);
    }

    /// <inheritdoc/>
    public BloomConfig Config { get; }

    /// <inheritdoc/>
    public float[] Vector(string name, int length) => _vectors[name];

    /// <inheritdoc/>
    public MatrixRows Matrix(string name, int rows, int columns)
    {
        WeightMatrix matrix = _matrices[name];
        return new MatrixRows(name + ".weight", (row, values) => matrix.DequantizeHeldRow(row, values.Span), static (_, _) => { });
    }

    private void AddNorm(string name, LayerNormWeights norm)
    {
        _vectors.Add(name + ".weight", norm.Weight);
        _vectors.Add(name + ".bias", norm.Bias);
    }

    private void AddLinear(string name, LinearWeights linear)
    {
        _matrices.Add(name, linear.Weight);
        _vectors.Add(name + ".bias", linear.Bias);
    }
}
