namespace Microsoft.ML.Lacos.Quantization;

/// <summary>Turns weights into 8-bit codes, unit by unit: a unit is a row, or a block of the flattened matrix.</summary>
/// <remarks>Thread-safe; units are independent of each other.</remarks>
internal interface IWeightQuantizer
{
    /// <summary>The scheme that reads the codes back.</summary>
    QuantizationScheme Scheme { get; }

    /// <summary>Elements a block; 0 where a unit is a row.</summary>
    int BlockSize { get; }

    /// <summary>Values of the codes, ascending; empty where a code is its own value.</summary>
    ReadOnlySpan<float> CodeBook { get; }

    /// <summary>Quantises one unit.</summary>
    /// <param name="values">Finite weights.</param>
    /// <param name="codes">Output, one byte each: a signed integer (row-wise) or an index into the code book.</param>
    /// <returns>The largest magnitude, by which the codes are scaled; 0 for a unit of zeros, which reads back as zeros.</returns>
    /// <exception cref="ArgumentException">A weight is NaN or infinite.</exception>
    float Quantize(ReadOnlySpan<float> values, Span<byte> codes);
}
