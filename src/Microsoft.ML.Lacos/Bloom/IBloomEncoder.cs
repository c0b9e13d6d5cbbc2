namespace Microsoft.ML.Lacos.Bloom;

/// <summary>What to make of a sentence's token vectors.</summary>
/// <param name="Pooling">One or more modes.</param>
/// <param name="Dimension">Leading dimensions to keep after pooling, before normalising; 0 keeps all.</param>
/// <param name="Normalize">Whether to divide the vector by its Euclidean norm (at least 1e-12, as <c>torch.nn.functional.normalize</c>).</param>
public readonly record struct PoolingOptions(PoolingModes Pooling, int Dimension = 0, bool Normalize = false);

/// <summary>Runs a BLOOM over a ragged batch of token ids.</summary>
/// <remarks>
/// Thread-safe. A row's result is the same bits alone, in any batch, in any order and with any number of threads.
/// A row without tokens gives a zero vector.
/// Leading tokens that a row shares with the row before it may be computed once for both, which changes no bit: rows that begin alike are best passed one after the other.
/// </remarks>
public interface IBloomEncoder : IDisposable
{
    /// <summary>Shape of the model.</summary>
    BloomConfig Config { get; }

    /// <summary>Arithmetic of the linear layers.</summary>
    BloomCompute Compute { get; }

    /// <summary>What runs: for example <c>native avx512vnni, 2 threads</c> or <c>managed int8, 2 threads</c>.</summary>
    string Description { get; }

    /// <summary>Encodes rows into pooled vectors.</summary>
    /// <param name="tokenIds">Token ids of all rows, concatenated.</param>
    /// <param name="rowOffsets">rows + 1 ascending offsets into <paramref name="tokenIds"/>; the first is 0, the last its length.</param>
    /// <param name="poolFrom">How many leading tokens of each row pooling leaves out (a prompt that is not pooled); empty means none.
    /// A row all of whose tokens are left out gives a zero vector. First token means the first that is not left out; in the weighted mean a token keeps the weight of its position
    /// in the row, left-out tokens counted (sentence-transformers' <c>include_prompt: false</c>, which masks the prompt and weighs by absolute position).</param>
    /// <param name="options">Pooling, dimension, normalisation.</param>
    /// <param name="vectors">Output, [rows, dimension] row-major.</param>
    /// <exception cref="ArgumentException">Offsets not ascending, an id outside the vocabulary, a negative pooling start, no pooling mode or one that does not exist, more dimensions than there are, or a span of the wrong length.</exception>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    void Encode(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, ReadOnlySpan<int> poolFrom, PoolingOptions options, Span<float> vectors);

    /// <summary>Computes the vector of every token after the final layer norm.</summary>
    /// <param name="tokenIds">Token ids of all rows, concatenated.</param>
    /// <param name="rowOffsets">rows + 1 ascending offsets.</param>
    /// <param name="hiddenStates">Output, [tokens, hidden size] row-major.</param>
    /// <exception cref="ArgumentException">Offsets not ascending, an id outside the vocabulary, or a span of the wrong length.</exception>
    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    void EncodeTokens(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> rowOffsets, Span<float> hiddenStates);
}
