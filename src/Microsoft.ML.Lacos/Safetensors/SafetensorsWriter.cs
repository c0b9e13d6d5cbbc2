using System.Buffers.Binary;
using System.Text.Json;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Writes a safetensors file: the header first, then the tensors one after another, straight from where they lie.</summary>
/// <remarks>
/// The same tensors and metadata always give the same bytes: metadata are sorted by key, tensors by descending alignment (that of the element unless asked for) and then in the order
/// they were added; the data begin at a multiple of 64 bytes.
/// </remarks>
internal sealed unsafe class SafetensorsWriter
{
    private const int DataAlignment = 64;
    private readonly List<Tensor> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Sets a line of metadata.</summary>
    public void SetMetadata(string key, string value) => _metadata[key] = value;

    /// <summary>Adds a tensor that lies in managed memory.</summary>
    public void Add<T>(string name, SafetensorsDType type, T[] values, params long[] shape)
        where T : unmanaged
    {
        AddTensor(name, type, shape, (long)values.Length * sizeof(T), stream =>
        {
            fixed (T* first = values)
            {
                WriteBytes(stream, (byte*)first, (long)values.Length * sizeof(T));
            }
        });
    }

    /// <summary>Adds a tensor that lies in unmanaged memory.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type.</param>
    /// <param name="data">First byte.</param>
    /// <param name="owner">Keeps the memory valid until it is written.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    public void Add(string name, SafetensorsDType type, void* data, object owner, params long[] shape)
    {
        long length = checked(shape.Aggregate(1L, (product, size) => product * size) * type.Bits() / 8);
        AddTensor(name, type, shape, length, stream =>
        {
            WriteBytes(stream, (byte*)data, length);
            GC.KeepAlive(owner);
        });
    }

    /// <summary>Adds a tensor whose bytes are made when they are written.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type.</param>
    /// <param name="write">Writes exactly the tensor's bytes.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    public void Add(string name, SafetensorsDType type, Action<Stream> write, params long[] shape) =>
        AddTensor(name, type, shape, checked(shape.Aggregate(1L, (product, size) => product * size) * type.Bits() / 8), write);

    /// <summary>Adds a tensor that begins at a multiple of 64 bytes, as far as every tensor added in this way fills such multiples.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type.</param>
    /// <param name="write">Writes exactly the tensor's bytes.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    public void AddAligned(string name, SafetensorsDType type, Action<Stream> write, params long[] shape)
    {
        Add(name, type, write, shape);
        _tensors[^1] = _tensors[^1] with { Alignment = DataAlignment };
    }

    /// <summary>Writes everything.</summary>
    /// <param name="stream">Written from its position on; not disposed.</param>
    public void WriteTo(Stream stream) => WriteTo(stream, CancellationToken.None);

    /// <inheritdoc cref="WriteTo(Stream)"/>
    /// <param name="stream">Written from its position on; not disposed.</param>
    /// <param name="cancellationToken">Ends the writing between two tensors.</param>
    public void WriteTo(Stream stream, CancellationToken cancellationToken)
    {
        Tensor[] ordered = [.. _tensors.OrderByDescending(tensor => tensor.Alignment)];
        byte[] header = Header(ordered);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (Tensor tensor in ordered)
        {
            cancellationToken.ThrowIfCancellationRequested();
            tensor.Write(stream);
        }
    }

    /// <summary>Copies unmanaged bytes to a stream.</summary>
    public static void WriteBytes(Stream stream, byte* data, long length)
    {
        const int chunk = 1 << 24;
        for (long done = 0; done < length; done += chunk)
        {
            stream.Write(new ReadOnlySpan<byte>(data + done, (int)Math.Min(chunk, length - done)));
        }
    }

    private void AddTensor(string name, SafetensorsDType type, long[] shape, long byteLength, Action<Stream> write)
    {
        if (shape.Aggregate((Int128)1, (product, size) => product * size) * type.Bits() != byteLength * (Int128)8)
        {
            throw new ArgumentException($"Tensor '{name}' has {byteLength} bytes, which {type} [{string.Join(", ", shape)}] does not fill exactly.", nameof(shape));
        }
        if (!_names.Add(name))
        {
            throw new ArgumentException($"Tensor '{name}' was added before. Names must differ.", nameof(name));
        }
        _tensors.Add(new Tensor(name, type, shape, byteLength, type.Bits() / 8, write));
    }

    private byte[] Header(Tensor[] ordered)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                {
                    json.WriteString(key, value);
                }
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (Tensor tensor in ordered)
            {
                WriteEntry(json, tensor, offset);
                offset += tensor.ByteLength;
            }
            json.WriteEndObject();
        }
        int padding = (int)((DataAlignment - ((buffer.Length + 8) % DataAlignment)) % DataAlignment);
        buffer.Write(Enumerable.Repeat((byte)' ', padding).ToArray());
        return buffer.Length <= SafetensorsHeader.MaximumLength
            ? buffer.ToArray()
            : throw new InvalidOperationException($"The header would take {buffer.Length} bytes, at most {SafetensorsHeader.MaximumLength} can be read back. Write fewer tensors or less metadata.");
    }

    private static void WriteEntry(Utf8JsonWriter json, Tensor tensor, long offset)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.ToString());
        json.WriteStartArray("shape");
        foreach (long size in tensor.Shape)
        {
            json.WriteNumberValue(size);
        }
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + tensor.ByteLength);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private sealed record Tensor(string Name, SafetensorsDType Type, long[] Shape, long ByteLength, int Alignment, Action<Stream> Write);
}
