namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>One tensor of a safetensors header, already checked against the length of the data.</summary>
/// <param name="Name">Name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes, outermost first; empty for a scalar.</param>
/// <param name="Offset">First byte, from the start of the data.</param>
/// <param name="ByteLength">Bytes.</param>
internal sealed record SafetensorsEntry(string Name, SafetensorsDType Type, long[] Shape, long Offset, long ByteLength)
{
    /// <summary>Elements.</summary>
    public long Count => ByteLength * 8 / Type.Bits();

    /// <summary>Type and shape for messages, for example <c>F16 [3, 4]</c>.</summary>
    public string Describe() => Describe(Type, Shape);

    /// <summary>A type and a shape for messages; of a long shape its first sizes.</summary>
    public static string Describe(SafetensorsDType type, long[] shape)
    {
        const int shown = 8;
        return $"{type} [{string.Join(", ", shape.Take(shown))}{(shape.Length > shown ? $", … ({shape.Length} dimensions)" : "")}]";
    }
}
