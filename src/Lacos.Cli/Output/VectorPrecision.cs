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

    /// <summary>Elements a written vector has.</summary>
    public static int ElementCount(this VectorPrecision precision, int dimension) => precision == VectorPrecision.Binary ? (dimension + 7) / 8 : dimension;
}
