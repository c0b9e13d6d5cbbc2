using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Memory for one matrix of numbers at a time, which all layers of a model take in turn.</summary>
/// <remarks>Matrices of some MB that come and go between activations that stay leave the CPU's allocator with gaps of a multiple of what is used. For one graph, whose products run one after the other.</remarks>
/// <param name="type">Type of the numbers.</param>
internal sealed class MatrixBuffer(torch.ScalarType type) : IDisposable
{
    private torch.Tensor? _numbers;

    /// <summary>A matrix on the CPU without content, to be disposed before the next one is taken.</summary>
    public torch.Tensor Take(long rows, long columns)
    {
        if (_numbers is null || _numbers.NumberOfElements < rows * columns)
        {
            _numbers?.Dispose();
            _numbers = torch.empty(rows * columns, dtype: type).DetachFromDisposeScope();
        }
        using torch.Tensor part = _numbers.narrow(0, 0, rows * columns);
        return part.view(rows, columns);
    }

    /// <inheritdoc/>
    public void Dispose() => _numbers?.Dispose();
}
