using System.Buffers.Binary;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>An open safetensors file: checked header, mapped data.</summary>
/// <remarks>Nothing of the data is read before it is asked for. Little-endian machines only, as .NET's are.</remarks>
internal sealed unsafe class SafetensorsFile : IDisposable, IHeldMemory
{
    private readonly MappedBytes _bytes;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsFile(MappedBytes bytes, string source)
    {
        _bytes = bytes;
        Source = source;
        if (bytes.Length < 8)
        {
            throw new InvalidDataException($"'{source}' has {bytes.Length} bytes, too few for a safetensors file. Fetch or convert it again.");
        }
        int headerLength = SafetensorsHeader.CheckedLength(BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(bytes.Pointer, 8)), bytes.Length, source);
        _dataStart = 8 + headerLength;
        byte[] json = new ReadOnlySpan<byte>(bytes.Pointer + 8, headerLength).ToArray();
        _header = SafetensorsHeader.Parse(json, bytes.Length - _dataStart, source);
    }

    /// <summary>Path or other name, for messages.</summary>
    public string Source { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long ByteLength => _bytes.Length;

    /// <summary>Free text by key.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _header.Entries;

    /// <summary>Maps a file; it must not be shortened until disposed.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format.</exception>
    /// <exception cref="NotSupportedException">A tensor's element type is unknown.</exception>
    public static SafetensorsFile Open(string path) => Over(MappedBytes.OpenFile(path), path);

    /// <summary>Reads the rest of a stream, without a copy where it is an <see cref="UnmanagedMemoryStream"/>.</summary>
    /// <param name="stream">Not disposed. Unmanaged memory must outlive the result.</param>
    /// <param name="source">Name for messages.</param>
    public static SafetensorsFile Read(Stream stream, string source) => Over(MappedBytes.ReadStream(stream), source);

    /// <summary>First byte of a tensor; valid until disposed.</summary>
    public byte* Pointer(SafetensorsEntry entry) => _bytes.Pointer + _dataStart + entry.Offset;

    /// <summary>Takes elements that will hardly be read again out of this process's memory, where they lie in a mapped file.</summary>
    public void LetGo(void* first, long length) => _bytes.LetGo((byte*)first, length);

    /// <summary>Writes the whole file. Of a mapped one only the stretch that is being written is in this process's memory, what was there before included.</summary>
    /// <param name="stream">Written from its position on; not disposed.</param>
    public void WriteTo(Stream stream)
    {
        const int stretch = 1 << 24;
        byte* first = _bytes.Pointer;
        for (long done = 0; done < ByteLength; done += stretch)
        {
            int length = (int)Math.Min(stretch, ByteLength - done);
            stream.Write(new ReadOnlySpan<byte>(first + done, length));
            LetGo(first + done, length);
        }
    }

    /// <summary>A float tensor's elements.</summary>
    /// <exception cref="NotSupportedException">The tensor holds no floats that can be read.</exception>
    public TensorFloats Floats(SafetensorsEntry entry)
    {
        if (!entry.Type.IsReadableAsFloat())
        {
            throw new NotSupportedException($"Tensor '{TextInMessage.Of(entry.Name)}' of '{Source}' is {entry.Describe()}, expected F32, F16, BF16 or F64. Convert the checkpoint.");
        }
        return new TensorFloats(Pointer(entry), entry.Type, entry.Count, this);
    }

    /// <summary>Reads a whole float tensor.</summary>
    /// <param name="name">Tensor.</param>
    /// <param name="requireFinite">Whether NaN and infinity are refused.</param>
    /// <exception cref="InvalidDataException">There is no such tensor, it is too large for an array, or it is not finite.</exception>
    public float[] ReadFloats(string name, bool requireFinite = true)
    {
        SafetensorsEntry entry = Require(name);
        if (entry.Count > Array.MaxLength)
        {
            throw new InvalidDataException($"Tensor '{TextInMessage.Of(name)}' of '{Source}' is {entry.Describe()}, too large to be read at once.");
        }
        TensorFloats floats = Floats(entry);
        var values = new float[entry.Count];
        floats.Read(0, values);
        int bad = requireFinite ? TensorFloats.IndexOfNonFinite(values) : -1;
        return bad < 0
            ? values
            : throw new InvalidDataException($"Tensor '{TextInMessage.Of(name)}' of '{Source}' holds {values[bad]} at element {bad}. The weights are damaged: fetch or convert them again.");
    }

    /// <summary>A tensor that must be there.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public SafetensorsEntry Require(string name) => Entries.TryGetValue(name, out SafetensorsEntry? entry)
        ? entry
        : throw new InvalidDataException($"'{Source}' has no tensor '{TextInMessage.Of(name)}' among its {Entries.Count}. Check that it holds the model that is meant.");

    /// <inheritdoc/>
    public bool IsDisposed => _bytes.IsDisposed;

    /// <inheritdoc/>
    public bool TryHold() => _bytes.TryHold();

    /// <inheritdoc/>
    public void EndHold() => _bytes.EndHold();

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    private static SafetensorsFile Over(MappedBytes bytes, string source)
    {
        try
        {
            return new SafetensorsFile(bytes, source);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }
}
