using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Pipeline;

namespace Lacos.Cli.Output;

/// <summary>What the elements of the written vectors are.</summary>
internal enum VectorPrecision
{
    /// <summary>32-bit floats.</summary>
    Float32,

    /// <summary>127 times the element of the normalised vector, rounded half to even, from -127 to 127.</summary>
    Int8,

    /// <summary>Sign bits, eight a byte, the most significant first (NumPy's <c>packbits</c>); 1 where the element is positive.</summary>
    Binary,
}

/// <summary>Turns float vectors into those of a precision.</summary>
internal static class VectorPrecisions
{
    /// <summary>Names accepted by <c>--precision</c>.</summary>
    public static readonly string[] Names = ["float32", "int8", "binary"];

    /// <summary>Precision of a name.</summary>
    public static VectorPrecision Parse(string name) => (VectorPrecision)Array.IndexOf(Names, name);

    /// <summary>Name of a precision.</summary>
    public static string Name(this VectorPrecision precision) => Names[(int)precision];

    /// <summary>Bytes a written vector has.</summary>
    public static int RowBytes(this VectorPrecision precision, int dimension) => precision.ElementCount(dimension) * (precision == VectorPrecision.Float32 ? sizeof(float) : 1);

    /// <summary>Turns a vector into the bytes it is written as, little-endian.</summary>
    /// <param name="precision">Of the bytes.</param>
    /// <param name="vector">[dimension].</param>
    /// <param name="row">Output: [<see cref="RowBytes"/>].</param>
    public static void Encode(this VectorPrecision precision, ReadOnlySpan<float> vector, Span<byte> row)
    {
        switch (precision)
        {
            case VectorPrecision.Int8:
                VectorFormat.ToInt8(vector, MemoryMarshal.Cast<byte, sbyte>(row));
                break;
            case VectorPrecision.Binary:
                VectorFormat.ToBinary(vector, row);
                break;
            case VectorPrecision.Float32 when BitConverter.IsLittleEndian:
                MemoryMarshal.AsBytes(vector).CopyTo(row);
                break;
            default:
                for (int i = 0; i < vector.Length; i++)
                {
                    BinaryPrimitives.WriteSingleLittleEndian(row[(i * sizeof(float))..], vector[i]);
                }
                break;
        }
    }

    /// <summary>Elements a written vector has.</summary>
    public static int ElementCount(this VectorPrecision precision, int dimension) => precision == VectorPrecision.Binary ? (dimension + 7) / 8 : dimension;
}
