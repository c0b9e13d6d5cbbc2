using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>A tensor's elements, read as 32-bit floats whatever float type they are stored in.</summary>
/// <remarks>F16 and BF16 are widened exactly; F64 is rounded to nearest, and to infinity where it is too large.</remarks>
internal readonly unsafe struct TensorFloats
{
    private readonly byte* _data;
    private readonly SafetensorsDType _type;
    private readonly SafetensorsFile? _file;

    /// <summary>Describes elements in memory that the caller keeps valid.</summary>
    /// <param name="data">First element.</param>
    /// <param name="type">Type of the elements.</param>
    /// <param name="count">Elements.</param>
    /// <param name="file">The file they lie in; <see langword="null"/> where they lie in none.</param>
    public TensorFloats(byte* data, SafetensorsDType type, long count, SafetensorsFile? file = null)
    {
        if (!type.IsReadableAsFloat())
        {
            throw new NotSupportedException($"Elements of type {type} cannot be read as floats. Convert them to F32, F16 or BF16.");
        }
        _data = data;
        _type = type;
        _file = file;
        Count = count;
    }

    /// <summary>Elements.</summary>
    public long Count { get; }

    /// <summary>Reads the elements from <paramref name="start"/> on.</summary>
    /// <param name="start">First element.</param>
    /// <param name="destination">As many as wanted.</param>
    public void Read(long start, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Count - start);
        byte* from = _data + (start * (_type.Bits() / 8));
        switch (_type)
        {
            case SafetensorsDType.F32:
                new ReadOnlySpan<float>(from, destination.Length).CopyTo(destination);
                break;
            case SafetensorsDType.F16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(from, destination.Length), destination);
                break;
            case SafetensorsDType.BF16:
                WidenBFloat16(new ReadOnlySpan<ushort>(from, destination.Length), MemoryMarshal.Cast<float, uint>(destination));
                break;
            default:
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<double>(from, destination.Length), destination);
                break;
        }
    }

    /// <summary>Takes elements that will hardly be read again out of this process's memory, where they lie in a mapped file.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    public void LetGo(long start, long count)
    {
        int size = _type.Bits() / 8;
        _file?.LetGo(_data + (start * size), count * size);
    }

    /// <summary>Position of the first NaN or infinity, or -1.</summary>
    public static int IndexOfNonFinite(ReadOnlySpan<float> values)
    {
        // All exponent bits set is what NaN and the infinities share.
        const uint exponent = 0x7F80_0000;
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = new Vector<uint>(exponent);
        int index = 0;
        for (; index <= bits.Length - Vector<uint>.Count; index += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[index..]) & mask, mask))
            {
                break;
            }
        }
        for (; index < bits.Length; index++)
        {
            if ((bits[index] & exponent) == exponent)
            {
                return index;
            }
        }
        return -1;
    }

    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<uint> destination)
    {
        int index = 0;
        for (; index <= source.Length - Vector<ushort>.Count; index += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[index..]), out Vector<uint> low, out Vector<uint> high);
            Vector.ShiftLeft(low, 16).CopyTo(destination[index..]);
            Vector.ShiftLeft(high, 16).CopyTo(destination[(index + Vector<uint>.Count)..]);
        }
        for (; index < source.Length; index++)
        {
            destination[index] = (uint)source[index] << 16;
        }
    }
}
