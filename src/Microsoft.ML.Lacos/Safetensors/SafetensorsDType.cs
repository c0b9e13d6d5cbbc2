namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Element types of the safetensors format, by their names in the header.</summary>
/// <remarks>Those below one byte and the 8-bit floats are known so that a file holding them opens; their values are not read.</remarks>
internal enum SafetensorsDType
{
    F64,
    F32,
    F16,
    BF16,
    I64,
    U64,
    I32,
    U32,
    I16,
    U16,
    I8,
    U8,
    BOOL,
    F8_E4M3,
    F8_E5M2,
    F8_E8M0,
    F8_E4M3FNUZ,
    F8_E5M2FNUZ,
    C64,
    F6_E2M3,
    F6_E3M2,
    F4,
}

/// <summary>Sizes of the element types.</summary>
internal static class SafetensorsDTypeSize
{
    /// <summary>Bits an element.</summary>
    public static int Bits(this SafetensorsDType type) => type switch
    {
        SafetensorsDType.F64 or SafetensorsDType.I64 or SafetensorsDType.U64 or SafetensorsDType.C64 => 64,
        SafetensorsDType.F32 or SafetensorsDType.I32 or SafetensorsDType.U32 => 32,
        SafetensorsDType.F16 or SafetensorsDType.BF16 or SafetensorsDType.I16 or SafetensorsDType.U16 => 16,
        SafetensorsDType.F6_E2M3 or SafetensorsDType.F6_E3M2 => 6,
        SafetensorsDType.F4 => 4,
        _ => 8,
    };

    /// <summary>Whether <see cref="TensorFloats"/> can read the type as 32-bit floats.</summary>
    public static bool IsReadableAsFloat(this SafetensorsDType type) =>
        type is SafetensorsDType.F64 or SafetensorsDType.F32 or SafetensorsDType.F16 or SafetensorsDType.BF16;
}
