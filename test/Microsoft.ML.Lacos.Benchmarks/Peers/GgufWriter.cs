using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Text;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>Writes a GGUF file (version 3), the format of llama.cpp: values by name, then tensors in fp32 or Q8_0.</summary>
internal sealed class GgufWriter
{
    private const int Alignment = 32;
    private const uint UInt32 = 4, Float32 = 6, Text = 8;
    private const uint TypeF32 = 0, TypeQ80 = 8;

    /// <summary>Elements that share a scale in Q8_0.</summary>
    private const int Block = 32;

    private readonly MemoryStream _values = new();
    private readonly MemoryStream _tensors = new();
    private readonly MemoryStream _data = new();
    private ulong _valueCount;
    private ulong _tensorCount;

    public void Add(string name, int value) => Value(name, UInt32, BitConverter.GetBytes(value));

    public void Add(string name, float value) => Value(name, Float32, BitConverter.GetBytes(value));

    public void Add(string name, string value) => Value(name, Text, [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(value)), .. Encoding.UTF8.GetBytes(value)]);

    public void AddVector(string name, float[] values)
    {
        Tensor(name, TypeF32, values.Length);
        foreach (float value in values)
        {
            _data.Write(BitConverter.GetBytes(value));
        }
    }

    /// <summary>Adds a matrix in Q8_0: for each 32 elements of a row a half-precision scale and 32 codes.</summary>
    /// <param name="name">As llama.cpp names it.</param>
    /// <param name="rows">Rows (outputs).</param>
    /// <param name="columns">Columns (inputs), a multiple of 32.</param>
    /// <param name="fill">Writes the row of a number.</param>
    public void AddMatrix(string name, int rows, int columns, Action<int, float[]> fill)
    {
        Tensor(name, TypeQ80, columns, rows);
        var values = new float[columns];
        Span<byte> block = stackalloc byte[2 + Block];
        for (int row = 0; row < rows; row++)
        {
            fill(row, values);
            for (int start = 0; start < columns; start += Block)
            {
                ReadOnlySpan<float> part = values.AsSpan(start, Block);
                float scale = MathF.Abs(TensorPrimitives.MaxMagnitude(part)) / 127;
                float inverse = scale > 0 ? 1 / scale : 0;
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
                for (int i = 0; i < Block; i++)
                {
                    block[2 + i] = (byte)(sbyte)MathF.Round(part[i] * inverse);
                }
                _data.Write(block);
            }
        }
    }

    public void Save(string path)
    {
        using FileStream file = File.Create(path);
        file.Write("GGUF"u8);
        file.Write(BitConverter.GetBytes(3u));
        file.Write(BitConverter.GetBytes(_tensorCount));
        file.Write(BitConverter.GetBytes(_valueCount));
        _values.WriteTo(file);
        _tensors.WriteTo(file);
        Pad(file);
        _data.WriteTo(file);
        Pad(file);
    }

    private void Value(string name, uint type, byte[] value)
    {
        Name(_values, name);
        _values.Write(BitConverter.GetBytes(type));
        _values.Write(value);
        _valueCount++;
    }

    // Sizes stand innermost first.
    private void Tensor(string name, uint type, params int[] sizes)
    {
        Pad(_data);
        Name(_tensors, name);
        _tensors.Write(BitConverter.GetBytes((uint)sizes.Length));
        Array.ForEach(sizes, size => _tensors.Write(BitConverter.GetBytes((ulong)size)));
        _tensors.Write(BitConverter.GetBytes(type));
        _tensors.Write(BitConverter.GetBytes((ulong)_data.Length));
        _tensorCount++;
    }

    private static void Name(MemoryStream stream, string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        stream.Write(BitConverter.GetBytes((ulong)bytes.Length));
        stream.Write(bytes);
    }

    private static void Pad(Stream stream)
    {
        while (stream.Length % Alignment != 0)
        {
            stream.WriteByte(0);
        }
    }
}
