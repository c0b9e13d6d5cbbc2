using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Writes weights as the <c>model.safetensors</c> of a Hugging Face checkpoint saved from <c>BloomModel</c>: its names, without a prefix.</summary>
internal sealed class CheckpointWriter
{
    private readonly SafetensorsWriter _writer = new();
    private readonly SafetensorsDType _type;
    private readonly CancellationToken _cancellationToken;

    private CheckpointWriter(CheckpointPrecision precision, CancellationToken cancellationToken)
    {
        _type = precision == CheckpointPrecision.Float16 ? SafetensorsDType.F16 : SafetensorsDType.F32;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Prepares the file; a matrix is turned into floats row by row when it is written.</summary>
    public static SafetensorsWriter Prepare(BloomWeights weights, CheckpointPrecision precision, CancellationToken cancellationToken)
    {
        var checkpoint = new CheckpointWriter(precision, cancellationToken);

        // transformers refuses a file that does not say which library's layout it has.
        checkpoint._writer.SetMetadata("format", "pt");
        checkpoint.AddMatrix(BloomTensorNames.WordEmbeddings, weights.WordEmbeddings);
        checkpoint.AddNorm(BloomTensorNames.WordEmbeddingsLayerNorm, weights.WordEmbeddingsLayerNorm);
        for (int layer = 0; layer < weights.Blocks.Count; layer++)
        {
            BloomBlockWeights block = weights.Blocks[layer];
            checkpoint.AddNorm(BloomTensorNames.InputLayerNorm(layer), block.InputLayerNorm);
            checkpoint.AddLinear(BloomTensorNames.QueryKeyValue(layer), block.QueryKeyValue);
            checkpoint.AddLinear(BloomTensorNames.Dense(layer), block.Dense);
            checkpoint.AddNorm(BloomTensorNames.PostAttentionLayerNorm(layer), block.PostAttentionLayerNorm);
            checkpoint.AddLinear(BloomTensorNames.DenseHTo4H(layer), block.DenseHTo4H);
            checkpoint.AddLinear(BloomTensorNames.Dense4HToH(layer), block.Dense4HToH);
        }
        checkpoint.AddNorm(BloomTensorNames.FinalLayerNorm, weights.FinalLayerNorm);
        return checkpoint._writer;
    }

    private void AddLinear(string name, LinearWeights linear)
    {
        AddMatrix(name, linear.Weight);
        AddVector(name + ".bias", linear.Bias);
    }

    private void AddNorm(string name, LayerNormWeights norm)
    {
        AddVector(name + ".weight", norm.Weight);
        AddVector(name + ".bias", norm.Bias);
    }

    private void AddVector(string name, float[] values) => _writer.Add(name, _type, stream => WriteFloats(stream, values, new Half[values.Length], name), values.Length);

    private void AddMatrix(string name, WeightMatrix matrix)
    {
        name += ".weight";
        _writer.Add(name, _type, WriteRows, matrix.Rows, matrix.Columns);

        void WriteRows(Stream stream)
        {
            var row = new float[matrix.Columns];
            var halves = new Half[matrix.Columns];
            for (int i = 0; i < matrix.Rows; i++)
            {
                _cancellationToken.ThrowIfCancellationRequested();
                matrix.DequantizeHeldRow(i, row);
                WriteFloats(stream, row, halves, name);
            }
        }
    }

    private void WriteFloats(Stream stream, float[] values, Half[] halves, string name)
    {
        if (_type == SafetensorsDType.F32)
        {
            stream.Write(MemoryMarshal.AsBytes<float>(values));
            return;
        }
        TensorPrimitives.ConvertToHalf(values, halves);
        int beyond = Array.FindIndex(halves, value => !Half.IsFinite(value));
        if (beyond >= 0)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{name}' holds {values[beyond]}, which a 16-bit float cannot hold (at most 65504). Write 32-bit floats."));
        }
        stream.Write(MemoryMarshal.AsBytes<Half>(halves));
    }
}
