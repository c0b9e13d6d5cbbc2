using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Unmanaged memory aligned to 64 bytes, zeroed, freed on dispose, or by the last reader after it, or by the garbage collector.</summary>
internal sealed unsafe class NativeBuffer : IDisposable, IHeldMemory
{
    private readonly Allocation _allocation;
    private readonly UseCount _uses;

    /// <summary>Allocates.</summary>
    /// <param name="byteLength">Bytes, 0 or more.</param>
    /// <exception cref="OutOfMemoryException">The memory cannot be had.</exception>
    public NativeBuffer(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        _allocation = new Allocation(byteLength);
        _uses = new UseCount(_allocation.Dispose);
        ByteLength = byteLength;
    }

    /// <summary>First byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been disposed.</exception>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_uses.IsClosed, this);
            return (byte*)_allocation.Pointer;
        }
    }

    /// <summary>Bytes.</summary>
    public long ByteLength { get; }

    /// <inheritdoc/>
    public bool IsDisposed => _uses.IsClosed;

    /// <inheritdoc/>
    public bool TryHold() => _uses.TryEnter();

    /// <inheritdoc/>
    public void EndHold() => _uses.Leave();

    /// <inheritdoc/>
    public void Dispose() => _uses.Close();

    // Apart from the buffer, whose dispose leaves the finalizer in force while there are readers: one that is forgotten must not keep the memory for good.
    private sealed class Allocation : IDisposable
    {
        private const int Alignment = 64;
        private readonly long _byteLength;

        public Allocation(long byteLength)
        {
            nuint size = checked((nuint)Math.Max(byteLength, 1));
            Pointer = NativeMemory.AlignedAlloc(size, Alignment);
            NativeMemory.Clear(Pointer, size);
            _byteLength = byteLength;
            if (byteLength > 0)
            {
                GC.AddMemoryPressure(byteLength);
            }
        }

        ~Allocation() => Free();

        public void* Pointer { get; private set; }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            if (Pointer is null)
            {
                return;
            }
            NativeMemory.AlignedFree(Pointer);
            Pointer = null;
            if (_byteLength > 0)
            {
                GC.RemoveMemoryPressure(_byteLength);
            }
        }
    }
}
