namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Gives the vectors of texts: from memory where they are known, else encoded, each different text once.</summary>
/// <param name="encoder">Puts one prompt before every text.</param>
/// <param name="memory">Shared by all prompts over the same weights.</param>
/// <param name="prompt">Number of the prompt in the memory.</param>
internal sealed class TextVectors(ITextEncoder encoder, VectorMemory memory, int prompt = 0)
{
    // Vectors that an encoder is asked for at once, in elements: enough texts to sort among, and windows of any number of rows within an array.
    private const int ElementsPerCall = 1 << 23;

    public int Dimension => encoder.Dimension;

    public bool IsNormalized => encoder.IsNormalized;

    /// <summary>Counts a text's tokens before any truncation.</summary>
    public int CountTokens(string text) => encoder.CountTokens(text);

    /// <summary>Gives the vectors of texts.</summary>
    /// <param name="texts">Texts; equal ones get the same object.</param>
    /// <param name="results">Output, as many as texts. Left as they were when this throws.</param>
    /// <param name="cancellationToken">Checked between batches.</param>
    /// <returns>How many of the texts encoded by this call were longer than the token limit.</returns>
    public int Encode(ReadOnlySpan<string> texts, Span<EncodedText?> results, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var places = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        var known = new List<EncodedText?>(texts.Length);
        var missing = new List<string>();
        var missingPlaces = new List<int>();
        foreach (string text in texts)
        {
            if (places.TryAdd(text, known.Count))
            {
                EncodedText? remembered = memory.Find(prompt, text);
                known.Add(remembered);
                if (remembered is null)
                {
                    missing.Add(text);
                    missingPlaces.Add(known.Count - 1);
                }
            }
        }
        int longTexts = EncodeMissing(missing, missingPlaces, known, cancellationToken);
        for (int i = 0; i < texts.Length; i++)
        {
            results[i] = known[places[texts[i]]];
        }
        return longTexts;
    }

    private int EncodeMissing(List<string> texts, List<int> places, List<EncodedText?> known, CancellationToken cancellationToken)
    {
        int dimension = encoder.Dimension;
        int most = Math.Max(1, ElementsPerCall / dimension);
        int longTexts = 0;
        for (int start = 0; start < texts.Count; start += most)
        {
            string[] some = [.. texts[start..Math.Min(texts.Count, start + most)]];
            var vectors = new float[some.Length * dimension];
            var tokenCounts = new int[some.Length];
            longTexts += encoder.Encode(some, vectors, tokenCounts, cancellationToken);
            for (int i = 0; i < some.Length; i++)
            {
                var encoded = new EncodedText(vectors.AsSpan(i * dimension, dimension).ToArray(), tokenCounts[i]);
                known[places[start + i]] = encoded;
                if (encoded.IsUsable)
                {
                    memory.Remember(prompt, some[i], encoded);
                }
            }
        }
        return longTexts;
    }
}
