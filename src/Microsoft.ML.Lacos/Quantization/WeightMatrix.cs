using System.Buffers;
using System.Numerics.Tensors;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Quantization;

/// <summary>
/// A weight matrix [<see cref="Rows"/>, <see cref="Columns"/>] (out features, in features) in unmanaged memory, quantised or not; row-major, or in the panels of a kernel set.
/// </summary>
/// <remarks>
/// The matrix does not own its memory: <see cref="Owner"/> does, and is kept alive by this object. Instances are immutable and safe to read from many threads.
/// The memory of a model's weights is given back when the model and every encoder made from it have been disposed; reads throw <see cref="ObjectDisposedException"/> from then on, and one that is
/// running on another thread comes to its end first.
/// </remarks>
public sealed unsafe class WeightMatrix
{
    private readonly IHeldMemory? _memory;

    /// <summary>Describes a matrix over memory that <paramref name="owner"/> keeps alive.</summary>
    /// <param name="scheme">How the elements are stored.</param>
    /// <param name="rows">Out features, or the vocabulary size of an embedding table.</param>
    /// <param name="columns">In features.</param>
    /// <param name="data">float*, sbyte* (row-wise) or byte* (block-wise codes), rows * columns elements, row-major unless <paramref name="panels"/> says otherwise.</param>
    /// <param name="scales">Absolute maxima: one a row (row-wise), one a block (block-wise), none otherwise.</param>
    /// <param name="codeBook">The 256 values of a block-wise scheme; empty otherwise.</param>
    /// <param name="blockSize">Elements a block of a block-wise scheme; 0 otherwise.</param>
    /// <param name="owner">Whatever keeps <paramref name="data"/> valid.</param>
    /// <param name="panels">How row-wise codes are packed; <see langword="null"/> where they are not.</param>
    /// <exception cref="ArgumentNullException">An array or the owner is missing, or <paramref name="data"/> is a null pointer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The scheme is none that exists, a size is not positive, or the block size of a block-wise scheme is not.</exception>
    /// <exception cref="ArgumentException">There are more or fewer scales or code book values than the scheme has, or panels that are none, or panels of another scheme than row-wise.</exception>
    public WeightMatrix(QuantizationScheme scheme, int rows, int columns, void* data, float[] scales, float[] codeBook, int blockSize, object owner, WeightPanels? panels = null)
    {
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentNullException.ThrowIfNull(codeBook);
        ArgumentNullException.ThrowIfNull(owner);
        if (!Enum.IsDefined(scheme))
        {
            throw new ArgumentOutOfRangeException(nameof(scheme), scheme, $"The scheme is {(int)scheme}; it must be one of {string.Join(", ", Enum.GetNames<QuantizationScheme>())}.");
        }
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        long elements = (long)rows * columns;
        long expectedScales = scheme switch
        {
            QuantizationScheme.None => 0,
            QuantizationScheme.Rowwise => rows,
            _ => (elements + ValidBlockSize(blockSize) - 1) / blockSize,
        };
        if (scales.LongLength != expectedScales)
        {
            throw new ArgumentException($"A {scheme} matrix of {rows} x {columns} needs {expectedScales} scales, got {scales.LongLength}.", nameof(scales));
        }
        int expectedBook = scheme is QuantizationScheme.BlockwiseDynamic or QuantizationScheme.BlockwiseLinear ? 256 : 0;
        if (codeBook.Length != expectedBook)
        {
            throw new ArgumentException($"A {scheme} matrix needs a code book of {expectedBook} values, got {codeBook.Length}.", nameof(codeBook));
        }
        if (panels is { } layout && (scheme != QuantizationScheme.Rowwise || !layout.IsValid))
        {
            throw new ArgumentException($"A {scheme} matrix cannot lie in {layout}. Panels are for row-wise codes.", nameof(panels));
        }
        ArgumentNullException.ThrowIfNull(data);
        Scheme = scheme;
        Panels = panels;
        Rows = rows;
        Columns = columns;
        Address = data;
        Scales = scales;
        CodeBook = codeBook;
        BlockSize = blockSize;
        Owner = owner;
        _memory = owner as IHeldMemory;
    }

    /// <summary>How the elements are stored.</summary>
    public QuantizationScheme Scheme { get; }

    /// <summary>Out features.</summary>
    public int Rows { get; }

    /// <summary>In features.</summary>
    public int Columns { get; }

    /// <summary>How the codes are packed; <see langword="null"/> where the elements are row-major.</summary>
    public WeightPanels? Panels { get; }

    /// <summary>First element: float*, sbyte* or byte* by <see cref="Scheme"/>.</summary>
    /// <remarks>A bare address, good for as long as the memory is there. <see cref="Pin"/> gives one that nobody's dispose takes away.</remarks>
    /// <exception cref="ObjectDisposedException">The memory has been given back.</exception>
    public void* Data => _memory is { IsDisposed: true } ? throw GivenBack() : Address;

    /// <summary>Absolute maxima of rows or blocks.</summary>
    public float[] Scales { get; }

    /// <summary>Values of the codes of a block-wise scheme.</summary>
    public float[] CodeBook { get; }

    /// <summary>Elements a block of a block-wise scheme; 0 otherwise.</summary>
    public int BlockSize { get; }

    /// <summary>Keeps the memory valid.</summary>
    public object Owner { get; }

    /// <summary>Bytes that the elements and scales take.</summary>
    public long ByteSize => DataLength + (Scales.LongLength * sizeof(float));

    /// <summary>First element, for whoever holds the memory.</summary>
    internal void* Address { get; }

    /// <summary>Bytes that the elements take.</summary>
    internal long DataLength => Panels?.ByteLength(Rows, Columns) ?? (long)Rows * Columns * (Scheme == QuantizationScheme.None ? sizeof(float) : 1);

    /// <summary>Writes row <paramref name="row"/> as floats.</summary>
    /// <param name="row">Row index, from 0.</param>
    /// <param name="destination">At least <see cref="Columns"/> elements; those behind them stay as they are.</param>
    /// <remarks>Row-wise: <c>code * (absmax / 127)</c> with the quotient rounded to fp32 first. Block-wise: <c>book[code] * absmax</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than a row.</exception>
    /// <exception cref="ObjectDisposedException">The memory has been given back.</exception>
    public void DequantizeRow(int row, Span<float> destination)
    {
        if (destination.Length < Columns)
        {
            throw new ArgumentException($"A row has {Columns} elements, got room for {destination.Length}.", nameof(destination));
        }
        Hold();
        try
        {
            DequantizeHeldRow(row, destination);
        }
        finally
        {
            _memory?.EndHold();
        }
    }

    /// <summary>Holds the memory, whoever disposes what, until the result is disposed.</summary>
    /// <returns>A handle whose <see cref="MemoryHandle.Pointer"/> is the first element.</returns>
    /// <remarks>A mapped file stays mapped as long. Memory that the caller of the constructor answers for is kept reachable and no more.</remarks>
    /// <exception cref="ObjectDisposedException">The memory has been given back.</exception>
    public MemoryHandle Pin()
    {
        Hold();
        return new MemoryHandle(Address, pinnable: new PinnedMemory(this));
    }

    /// <summary>As <see cref="DequantizeRow"/>, for whoever holds the memory.</summary>
    internal void DequantizeHeldRow(int row, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        destination = destination[..Columns];
        long start = (long)row * Columns;
        switch (Scheme)
        {
            case QuantizationScheme.None:
                new ReadOnlySpan<float>((float*)Address + start, Columns).CopyTo(destination);
                break;
            case QuantizationScheme.Rowwise:
                if (Panels is null)
                {
                    TensorPrimitives.ConvertTruncating(new ReadOnlySpan<sbyte>((sbyte*)Address + start, Columns), destination);
                }
                else
                {
                    var unpacked = new sbyte[Columns];
                    CopyCodes(row, unpacked);
                    TensorPrimitives.ConvertTruncating<sbyte, float>(unpacked, destination);
                }
                TensorPrimitives.Multiply(destination, Scales[row] / 127f, destination);
                break;
            default:
                byte* codes = (byte*)Address + start;
                for (int column = 0; column < destination.Length; column++)
                {
                    destination[column] = CodeBook[codes[column]] * Scales[(start + column) / BlockSize];
                }
                break;
        }
        GC.KeepAlive(Owner);
    }

    /// <summary>Copies the 8-bit codes of a row, in whatever layout they lie, for whoever holds the memory.</summary>
    /// <param name="row">Row index, from 0.</param>
    /// <param name="codes"><see cref="Columns"/> elements.</param>
    internal void CopyCodes(int row, Span<sbyte> codes)
    {
        codes = codes[..Columns];
        if (Panels is { } panels)
        {
            panels.ReadRow((byte*)Address, row, codes);
        }
        else
        {
            new ReadOnlySpan<sbyte>((sbyte*)Address + ((long)row * Columns), Columns).CopyTo(codes);
        }
        GC.KeepAlive(Owner);
    }

    /// <summary>The matrix in row-major order: itself, or a copy in memory of its own where it lies in panels. The caller holds the memory.</summary>
    internal WeightMatrix InRows()
    {
        if (Panels is null)
        {
            return this;
        }
        var memory = new NativeBuffer((long)Rows * Columns);
        for (int row = 0; row < Rows; row++)
        {
            CopyCodes(row, new Span<sbyte>(memory.Pointer + ((long)row * Columns), Columns));
        }
        return new WeightMatrix(Scheme, Rows, Columns, memory.Pointer, Scales, CodeBook, BlockSize, memory);
    }

    /// <summary>Holds the memory until its <see cref="IHeldMemory.EndHold"/>.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been given back.</exception>
    internal void Hold()
    {
        if (_memory is not null && !_memory.TryHold())
        {
            throw GivenBack();
        }
    }

    private ObjectDisposedException GivenBack() => new(
        nameof(WeightMatrix),
        $"The memory of the {Rows} x {Columns} weights has been given back, because their model and every encoder made from it have been disposed. Read them before that, or hold them with {nameof(Pin)}.");

    private static int ValidBlockSize(int blockSize) =>
        blockSize > 0 ? blockSize : throw new ArgumentOutOfRangeException(nameof(blockSize), blockSize, "A block-wise matrix needs a positive block size.");

    // The handle is a structure: copies of it may each be disposed.
    private sealed class PinnedMemory(WeightMatrix matrix) : IPinnable
    {
        private WeightMatrix? _matrix = matrix;

        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("Pin the matrix.");

        public void Unpin() => Interlocked.Exchange(ref _matrix, null)?._memory?.EndHold();
    }
}
