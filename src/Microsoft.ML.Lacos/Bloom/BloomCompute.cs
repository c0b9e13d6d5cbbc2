namespace Microsoft.ML.Lacos.Bloom;

/// <summary>Arithmetic of the linear layers.</summary>
public enum BloomCompute
{
    /// <summary>int8 weights and rows quantised to int8 as they come, exact int32 sums (LLM.int8). Of row-wise weights only: block-wise ones run as <see cref="Int8WeightOnly"/>, and fp32 ones, which a <c>.lacos</c> file may hold, as <see cref="Float32"/>.</summary>
    Int8 = 0,

    /// <summary>8-bit weights, dequantised panel by panel, and fp32 arithmetic.</summary>
    Int8WeightOnly = 1,

    /// <summary>fp32 weights and arithmetic: the reference, and the trainer's full-precision base.</summary>
    Float32 = 2,
}
