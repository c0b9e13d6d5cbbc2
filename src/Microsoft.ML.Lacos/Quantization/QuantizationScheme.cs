namespace Microsoft.ML.Lacos.Quantization;

/// <summary>How a weight matrix is stored.</summary>
public enum QuantizationScheme
{
    /// <summary>32-bit floats, not quantised.</summary>
    None = 0,

    /// <summary>
    /// Row-wise absmax int8 (LLM.int8, arXiv 2208.07339): <c>code = round_half_even(w * 127 / absmax(row))</c>,
    /// <c>w ≈ code * absmax(row) / 127</c>. The only scheme that is executed in int8 arithmetic.
    /// </summary>
    Rowwise = 1,

    /// <summary>
    /// Block-wise with the signed dynamic 8-bit code book (arXiv 2110.02861) over blocks of the flattened matrix: <c>w ≈ book[code] * absmax(block)</c>.
    /// </summary>
    BlockwiseDynamic = 2,

    /// <summary>Block-wise with an evenly spaced code book over blocks of the flattened matrix.</summary>
    BlockwiseLinear = 3,
}
