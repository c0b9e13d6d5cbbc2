namespace Microsoft.ML.Lacos.Bloom;

/// <summary>
/// How the vectors of a sentence's tokens become one vector. Modes can be combined; their vectors are concatenated in the order
/// first token, max, mean, mean-sqrt, weighted mean, last token (the order of sentence-transformers).
/// </summary>
[Flags]
public enum PoolingModes
{
    /// <summary>No pooling; not valid for encoding.</summary>
    None = 0,

    /// <summary>Vector of the first token (<c>cls</c>).</summary>
    FirstToken = 1,

    /// <summary>Largest value of each dimension.</summary>
    Max = 2,

    /// <summary>Arithmetic mean.</summary>
    Mean = 4,

    /// <summary>Sum divided by the square root of the token count (<c>mean_sqrt_len_tokens</c>).</summary>
    MeanSqrtLength = 8,

    /// <summary>Mean weighted by position, counted from 1 over real tokens (SGPT, arXiv 2202.08904).</summary>
    WeightedMean = 16,

    /// <summary>Vector of the last token.</summary>
    LastToken = 32,
}
