using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Quantization;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>An 8-bit weight matrix as torch tensors on any device: codes in one byte each, scales and code book in fp32.</summary>
/// <remarks>Dequantised on its device with the operations, and so the bits, of <see cref="WeightMatrix.DequantizeRow"/>: <c>code * (absmax / 127)</c> or <c>book[code] * absmax</c>.</remarks>
internal sealed class QuantizedTensor : IDisposable
{
    // Elements dequantised at a time. On the CPU what is needed beside codes and result stays in the caches, and small enough for the allocator to have it again at once; on a GPU a call costs more than memory.
    private const long PanelElements = 1 << 18;
    private const long PanelElementsOnGpu = 1 << 22;

    private readonly torch.Tensor _codes;
    private readonly torch.Tensor _scales;
    private readonly torch.Tensor? _book;
    private readonly long _blockSize;

    /// <summary>Copies a matrix to a device.</summary>
    /// <param name="matrix">Quantised; read only now.</param>
    /// <param name="device">Where to.</param>
    public QuantizedTensor(WeightMatrix matrix, torch.Device device)
    {
        (Rows, Columns) = (matrix.Rows, matrix.Columns);
        _blockSize = Math.Min(matrix.BlockSize, Rows * Columns);
        _codes = Codes(matrix, device);
        if (matrix.Scheme == QuantizationScheme.Rowwise)
        {
            _scales = DeviceTensors.Of([.. matrix.Scales.Select(maximum => maximum / 127f)], [Rows, 1], device);
            return;
        }
        _scales = DeviceTensors.Of(matrix.Scales, [matrix.Scales.Length, 1], device);
        _book = DeviceTensors.Of(matrix.CodeBook, [matrix.CodeBook.Length], device);
    }

    /// <summary>Rows.</summary>
    public long Rows { get; }

    /// <summary>Columns.</summary>
    public long Columns { get; }

    /// <summary>Makes the matrix of numbers, panel by panel.</summary>
    /// <param name="type">fp32, or a narrower type to which each number is rounded.</param>
    /// <param name="buffer">Memory for it, of the same type; null to take some of its own.</param>
    /// <returns>[rows, columns] on the device of the codes.</returns>
    public torch.Tensor Dequantize(torch.ScalarType type, MatrixBuffer? buffer = null)
    {
        torch.Tensor result = buffer?.Take(Rows, Columns) ?? torch.empty(Rows, Columns, dtype: type, device: _codes.device);
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGradient = torch.no_grad();
        long unit = _book is null ? Columns : _blockSize;
        long unitsInPanel = Math.Max(1, (_codes.device_type == DeviceType.CPU ? PanelElements : PanelElementsOnGpu) / unit);
        torch.Tensor codes = _codes.view(-1), numbers = result.view(-1);
        for (long first = 0; first < _scales.shape[0]; first += unitsInPanel)
        {
            using DisposeScope panel = torch.NewDisposeScope();
            long units = Math.Min(unitsInPanel, _scales.shape[0] - first);
            long start = first * unit, length = Math.Min(units * unit, (Rows * Columns) - start);
            torch.Tensor panelCodes = codes.narrow(0, start, length), scales = _scales.narrow(0, first, units);
            torch.Tensor values = _book is null
                ? panelCodes.to(torch.ScalarType.Float32).view(units, unit).mul_(scales).view(-1)
                // The last block may be cut short.
                : _book.index_select(0, panelCodes.to(torch.ScalarType.Int32)).mul_(scales.expand(units, unit).reshape(-1).narrow(0, 0, length));
            numbers.narrow(0, start, length).copy_(values);
        }
        return result;
    }

    public void Dispose()
    {
        _codes.Dispose();
        _scales.Dispose();
        _book?.Dispose();
    }

    private static torch.Tensor Codes(WeightMatrix matrix, torch.Device device)
    {
        torch.ScalarType type = matrix.Scheme == QuantizationScheme.Rowwise ? torch.ScalarType.Int8 : torch.ScalarType.Byte;
        torch.Tensor codes = torch.empty(matrix.Rows, matrix.Columns, dtype: type);
        for (int row = 0; row < matrix.Rows; row++)
        {
            using torch.Tensor one = codes[row];
            matrix.CopyCodes(row, MemoryMarshal.Cast<byte, sbyte>(one.bytes));
        }
        GC.KeepAlive(matrix.Owner);
        return DeviceTensors.Move(codes, device);
    }
}
