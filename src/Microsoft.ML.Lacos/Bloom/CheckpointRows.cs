using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Rows of a Hugging Face BLOOM folder straight from its files, in their full precision.</summary>
/// <param name="config">Shape by <c>config.json</c>.</param>
/// <param name="tensors">The folder, open as long as rows are read.</param>
/// <param name="updateOf">Gives what is to be added to the matrix of a name, with so many rows and columns; <see langword="null"/> for nothing.</param>
internal sealed class CheckpointRows(BloomConfig config, CheckpointTensors tensors, Func<string, int, int, WeightUpdate?>? updateOf) : IBloomRows
{
    /// <inheritdoc/>
    public BloomConfig Config { get; } = config;

    /// <inheritdoc/>
    public float[] Vector(string name, int length) => tensors.Vector(name, length);

    /// <inheritdoc/>
    public MatrixRows Matrix(string name, int rows, int columns)
    {
        (SafetensorsFile file, SafetensorsEntry entry) = tensors.Find(name + ".weight", rows, columns);
        TensorFloats floats = file.Floats(entry);
        WeightUpdate? update = updateOf?.Invoke(name, rows, columns);
        return new MatrixRows(update is null ? entry.Name : entry.Name + " with the adapter", Read, (first, count) => floats.LetGo((long)first * columns, (long)count * columns));

        void Read(int row, Memory<float> values)
        {
            long start = (long)row * columns;
            floats.Read(start, values.Span);
            update?.Invoke(start, values.Span);
        }
    }
}
