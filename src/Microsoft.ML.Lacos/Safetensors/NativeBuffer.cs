using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Unmanaged memory aligned to 64 bytes, zeroed, freed on dispose or by the garbage collector.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private void* _pointer;

    /// <summary>Allocates.</summary>
    /// <param name="byteLength">Bytes, 0 or more.</param>
    /// <exception cref="OutOfMemoryException">The memory cannot be had.</exception>
    public NativeBuffer(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        nuint size = checked((nuint)Math.Max(byteLength, 1));
        _pointer = NativeMemory.AlignedAlloc(size, Alignment);
        NativeMemory.Clear(_pointer, size);
        ByteLength = byteLength;
        if (byteLength > 0)
        {
            GC.AddMemoryPressure(byteLength);
        }
    }

    /// <summary>Gives the memory back if it was never disposed.</summary>
    ~NativeBuffer() => Free();

    /// <summary>First byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been freed.</exception>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return (byte*)_pointer;
        }
    }

    /// <summary>Bytes.</summary>
    public long ByteLength { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer is null)
        {
            return;
        }
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        if (ByteLength > 0)
        {
            GC.RemoveMemoryPressure(ByteLength);
        }
    }
}
