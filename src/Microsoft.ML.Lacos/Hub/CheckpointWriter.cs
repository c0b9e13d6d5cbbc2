using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Writes weights as the <c>model.safetensors</c> of a Hugging Face checkpoint saved from <c>BloomModel</c>: its names, without a prefix.</summary>
internal sealed class CheckpointWriter
{
    // Made and written at a time, in elements.
    private const int ElementsAtOnce = 1 << 20;

    private readonly SafetensorsWriter _writer = new();
    private readonly IBloomRows _weights;
    private readonly SafetensorsDType _type;
    private readonly WeightProgress _progress;

    private CheckpointWriter(IBloomRows weights, CheckpointPrecision precision, WeightProgress progress)
    {
        _weights = weights;
        _type = precision == CheckpointPrecision.Float16 ? SafetensorsDType.F16 : SafetensorsDType.F32;
        _progress = progress;
    }

    /// <summary>Prepares the file: every tensor is looked up and checked for its shape; a matrix is turned into floats some rows at a time when it is written.</summary>
    public static SafetensorsWriter Prepare(IBloomRows weights, CheckpointPrecision precision, WeightProgress progress)
    {
        var checkpoint = new CheckpointWriter(weights, precision, progress);

        // transformers refuses a file that does not say which library's layout it has.
        checkpoint._writer.SetMetadata("format", "pt");
        foreach (BloomTensor tensor in BloomTensorNames.All(weights.Config))
        {
            if (tensor.IsMatrix)
            {
                checkpoint.AddMatrix(tensor.Name, tensor.Rows, tensor.Columns);
            }
            else
            {
                checkpoint.AddVector(tensor.Name, tensor.Rows);
            }
        }
        return checkpoint._writer;
    }

    private void AddVector(string name, int length)
    {
        float[] values = _weights.Vector(name, length);
        _writer.Add(name, _type, stream => WriteFloats(stream, values, new Half[values.Length], name), values.Length);
    }

    private void AddMatrix(string name, int rows, int columns)
    {
        MatrixRows matrix = _weights.Matrix(name, rows, columns);
        name += ".weight";
        _writer.Add(name, _type, WriteRows, rows, columns);

        void WriteRows(Stream stream)
        {
            int most = Math.Clamp(ElementsAtOnce / columns, 1, rows);
            var values = new float[most * columns];
            var halves = new Half[_type == SafetensorsDType.F32 ? 0 : values.Length];
            for (int first = 0; first < rows; first += most)
            {
                (int from, int count) = (first, Math.Min(most, rows - first));
                EncoderThreads.Run(count, EncoderThreads.Resolve(0), row => matrix.Read(from + row, values.AsMemory(row * columns, columns)));
                Span<float> read = values.AsSpan(0, count * columns);
                int bad = TensorFloats.IndexOfNonFinite(read);
                if (bad >= 0)
                {
                    throw new InvalidDataException($"Tensor '{matrix.Name}' holds {read[bad]} at element {((long)first * columns) + bad}. The weights are damaged: fetch or convert them again.");
                }
                WriteFloats(stream, read, halves, name);
                matrix.LetGo(first, count);
                _progress.Add((long)count * columns);
            }
        }
    }

    private void WriteFloats(Stream stream, ReadOnlySpan<float> values, Span<Half> halves, string name)
    {
        if (_type == SafetensorsDType.F32)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }
        halves = halves[..values.Length];
        TensorPrimitives.ConvertToHalf(values, halves);
        for (int i = 0; i < halves.Length; i++)
        {
            if (!Half.IsFinite(halves[i]))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{name}' holds {values[i]}, which a 16-bit float cannot hold (at most 65504). Write 32-bit floats."));
            }
        }
        stream.Write(MemoryMarshal.AsBytes(halves));
    }
}
