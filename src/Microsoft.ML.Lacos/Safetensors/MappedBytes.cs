using System.IO.MemoryMappedFiles;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Bytes at a fixed address, read-only by convention: a mapped file, memory that somebody else owns, or a copy.</summary>
/// <remarks>A mapped file must not be shortened while it is mapped: the operating system then ends the process at the first touch of a lost page.</remarks>
internal sealed unsafe class MappedBytes : IDisposable, IHeldMemory
{
    private readonly IDisposable[] _owners;
    private readonly bool _isFile;
    private readonly byte* _pointer;
    private readonly UseCount _uses;

    private MappedBytes(byte* pointer, long length, bool isFile, params IDisposable[] owners)
    {
        _isFile = isFile;
        _pointer = pointer;
        Length = length;
        _owners = owners;
        _uses = new UseCount(Release);
    }

    /// <summary>First byte.</summary>
    /// <exception cref="ObjectDisposedException">The bytes have been disposed.</exception>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_uses.IsClosed, this);
            return _pointer;
        }
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">File, which may not be shortened while mapped; replaced it may be, except on Windows, which refuses.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, and no file read here may be; or it is a pipe or a device.</exception>
    public static MappedBytes OpenFile(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"File '{path}' does not exist. Check the path.", path);
        }
        FileStatus.RequireFile(path);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1);
        MemoryMappedFile? map = null;
        try
        {
            long length = stream.Length;
            if (length == 0)
            {
                throw new InvalidDataException($"'{path}' is empty. Fetch or convert it again.");
            }
            map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            MemoryMappedViewAccessor view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            var release = new PointerRelease(view);
            return new MappedBytes(pointer + view.PointerOffset, length, isFile: true, release, view, map);
        }
        catch
        {
            map?.Dispose();
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The rest of a stream: its own memory where it is an <see cref="UnmanagedMemoryStream"/> over an address, else a copy.</summary>
    /// <param name="stream">Any readable stream; read from its position to its end and not disposed. Unmanaged memory must outlive the result.</param>
    public static MappedBytes ReadStream(Stream stream)
    {
        if (stream is UnmanagedMemoryStream unmanaged)
        {
            try
            {
                return new MappedBytes(unmanaged.PositionPointer, unmanaged.Length - unmanaged.Position, isFile: false);
            }
            catch (NotSupportedException)
            {
                // Made over a SafeBuffer, as views of mapped files are, it gives no address.
            }
        }
        long known = stream.CanSeek ? Math.Max(stream.Length - stream.Position, 0) : 0;
        var buffer = new NativeBuffer(stream.CanSeek ? known : 1 << 20);
        try
        {
            long filled = 0;
            while (true)
            {
                if (filled == buffer.ByteLength)
                {
                    int next = stream.ReadByte();
                    if (next < 0)
                    {
                        break;
                    }
                    buffer = Grown(buffer, filled);
                    buffer.Pointer[filled++] = (byte)next;
                }
                int read = stream.Read(new Span<byte>(buffer.Pointer + filled, (int)Math.Min(buffer.ByteLength - filled, 1 << 24)));
                if (read == 0 && filled < buffer.ByteLength)
                {
                    break;
                }
                filled += read;
            }
            return new MappedBytes(buffer.Pointer, filled, isFile: false, buffer);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Takes a stretch that will hardly be read again out of this process's memory where that is possible: where it is a mapped file of its own.</summary>
    /// <param name="first">First byte, within these bytes.</param>
    /// <param name="length">Bytes.</param>
    public void LetGo(byte* first, long length)
    {
        if (_isFile && !_uses.IsClosed && first >= _pointer && length <= _pointer + Length - first)
        {
            ResidentPages.LetGo(first, length);
        }
    }

    /// <inheritdoc/>
    public bool IsDisposed => _uses.IsClosed;

    /// <inheritdoc/>
    public bool TryHold() => _uses.TryEnter();

    /// <inheritdoc/>
    public void EndHold() => _uses.Leave();

    /// <inheritdoc/>
    public void Dispose() => _uses.Close();

    private void Release()
    {
        foreach (IDisposable owner in _owners)
        {
            owner.Dispose();
        }
    }

    private static NativeBuffer Grown(NativeBuffer buffer, long filled)
    {
        var larger = new NativeBuffer((buffer.ByteLength * 2) + 4096);
        Buffer.MemoryCopy(buffer.Pointer, larger.Pointer, larger.ByteLength, filled);
        buffer.Dispose();
        return larger;
    }

    // The pointer holds a reference that the view's own finaliser does not give back, so a forgotten mapping would stay for good.
    private sealed class PointerRelease(MemoryMappedViewAccessor view) : IDisposable
    {
        private MemoryMappedViewAccessor? _view = view;

        ~PointerRelease() => Release();

        public void Dispose()
        {
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            _view?.SafeMemoryMappedViewHandle.ReleasePointer();
            _view = null;
        }
    }
}
