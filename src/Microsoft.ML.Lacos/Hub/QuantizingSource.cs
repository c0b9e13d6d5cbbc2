using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Quantises the matrices of weights already in memory; owns what it makes.</summary>
internal sealed unsafe class QuantizingSource(BloomWeights weights, QuantizationScheme scheme, int blockSize, QuantizationScheme embeddingScheme) : IDisposable
{
    private readonly List<NativeBuffer> _memory = [];

    /// <summary>Makes the quantised weights; vectors are shared with the source.</summary>
    public BloomWeights Quantize()
    {
        if (scheme == QuantizationScheme.None)
        {
            throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Name a scheme that quantises.");
        }
        IWeightQuantizer quantizer = WeightMatrixBuilder.QuantizerOf(scheme, blockSize)!;
        return weights with
        {
            WordEmbeddings = Matrix(weights.WordEmbeddings, WeightMatrixBuilder.QuantizerOf(embeddingScheme, blockSize)),
            Blocks =
            [
                .. weights.Blocks.Select(block => block with
                {
                    QueryKeyValue = Linear(block.QueryKeyValue),
                    Dense = Linear(block.Dense),
                    DenseHTo4H = Linear(block.DenseHTo4H),
                    Dense4HToH = Linear(block.Dense4HToH),
                }),
            ],
        };

        LinearWeights Linear(LinearWeights linear) => linear with { Weight = Matrix(linear.Weight, quantizer) };
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.ForEach(buffer => buffer.Dispose());

    private WeightMatrix Matrix(WeightMatrix matrix, IWeightQuantizer? quantizer)
    {
        if (matrix.Scheme != QuantizationScheme.None)
        {
            throw new NotSupportedException($"The weights are quantised already ({matrix.Scheme}), and quantising twice would lose twice. Start from the checkpoint folder.");
        }
        var values = new TensorFloats((byte*)matrix.Address, SafetensorsDType.F32, (long)matrix.Rows * matrix.Columns);
        WeightMatrix result = WeightMatrixBuilder.Build(values, matrix.Rows, matrix.Columns, quantizer, "weights", out NativeBuffer memory);
        _memory.Add(memory);
        return result;
    }
}
