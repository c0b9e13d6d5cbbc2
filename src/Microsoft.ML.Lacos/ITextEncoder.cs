namespace Microsoft.ML.Lacos;

/// <summary>Turns texts into vectors; what the pipeline pieces need to know of a model.</summary>
/// <remarks>Thread-safe. A text's vector is the same bits in any batch, order and thread count.</remarks>
internal interface ITextEncoder : IDisposable
{
    /// <summary>Elements of a vector.</summary>
    int Dimension { get; }

    /// <summary>Whether every vector has norm 1 (or 0, for a text without tokens).</summary>
    bool IsNormalized { get; }

    /// <summary>Encodes texts.</summary>
    /// <param name="texts">Missing (<see langword="null"/>) and empty texts give zero vectors.</param>
    /// <param name="vectors">Output, [texts, <see cref="Dimension"/>] row-major.</param>
    /// <param name="tokenCounts">Output: tokens of each text before any truncation, prompt included (0 for a text without tokens). Empty when not wanted.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>How many texts were longer than the token limit.</returns>
    /// <remarks>The vectors of a damaged model may hold NaN or infinity: whoever reads them checks.</remarks>
    int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken);

    /// <summary>Counts the tokens of a text before any truncation, prompt included, also where it is too long to be encoded.</summary>
    int CountTokens(string? text);
}
