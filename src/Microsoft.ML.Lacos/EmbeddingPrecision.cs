namespace Microsoft.ML.Lacos;

/// <summary>Number format of the vectors in a column; the model's own arithmetic does not depend on it.</summary>
public enum EmbeddingPrecision
{
    /// <summary>fp32: a vector column of <see cref="float"/>.</summary>
    Float32 = 0,

    /// <summary>
    /// Symmetric int8: 127 times the vector divided by its Euclidean norm, rounded to nearest (ties to even), in [-127, 127];
    /// a vector column of <see cref="sbyte"/>. Four times smaller than fp32.
    /// </summary>
    Int8 = 1,

    /// <summary>
    /// One bit a dimension, 1 where the value is greater than 0, most significant bit first (as NumPy's <c>packbits</c>) and padded with zeros;
    /// a vector column of <see cref="byte"/> with a length of dimension / 8, rounded up. 32 times smaller than fp32, compared by Hamming distance.
    /// </summary>
    Binary = 2,
}
