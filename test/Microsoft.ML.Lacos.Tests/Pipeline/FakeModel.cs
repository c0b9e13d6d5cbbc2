using System.Collections.Concurrent;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

/// <summary>A deterministic stand-in for a model: a text's vector depends on nothing but its characters. Counts what it is asked for.</summary>
internal sealed class FakeEncoder(int dimension = 10, bool isNormalized = true, int maximumTokenCount = 32) : ITextEncoder
{
    public int Dimension { get; } = dimension;

    public bool IsNormalized { get; } = isNormalized;

    public int MaximumTokenCount { get; } = maximumTokenCount;

    public bool IsDisposed { get; private set; }

    public int Calls => Batches.Count;

    public int Texts => Batches.Sum(batch => batch.Length);

    public ConcurrentQueue<string?[]> Batches { get; } = new();

    /// <summary>A text whose vector is none.</summary>
    public string? DamagedText { get; set; }

    /// <summary>Called with the number of each call before it encodes.</summary>
    public Action<int>? BeforeCall { get; set; }

    public int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        BeforeCall?.Invoke(Calls);
        Batches.Enqueue(texts.ToArray());
        int longTexts = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Vector(texts[i]).CopyTo(vectors[(i * Dimension)..]);
            if (texts[i] is not null && texts[i] == DamagedText)
            {
                vectors[(i * Dimension) + 3] = float.NaN;
            }
            int tokens = Tokens(texts[i]);
            longTexts += tokens > MaximumTokenCount ? 1 : 0;
            if (!tokenCounts.IsEmpty)
            {
                tokenCounts[i] = tokens;
            }
        }
        return longTexts;
    }

    public int CountTokens(string? text) => Tokens(text);

    /// <summary>The vector that a text has to get.</summary>
    public float[] Vector(string? text)
    {
        var vector = new float[Dimension];
        if (string.IsNullOrEmpty(text))
        {
            return vector;
        }
        uint hash = 2166136261;
        double squares = 0;
        for (int i = 0; i < Dimension; i++)
        {
            foreach (char c in text)
            {
                hash = (hash ^ c) * 16777619;
            }
            vector[i] = (hash >> 8) / (float)(1 << 23) - 1;
            squares += (double)vector[i] * vector[i];
        }
        return IsNormalized ? [.. vector.Select(value => (float)(value / Math.Sqrt(squares)))] : vector;
    }

    /// <summary>The tokens that a text has: words.</summary>
    public static int Tokens(string? text) => string.IsNullOrEmpty(text) ? 0 : text.Count(c => c == ' ') + 1;

    public void Dispose() => IsDisposed = true;

    public EmbeddingModel AsModel() => new()
    {
        Encoder = this,
        Name = "fake",
        Fingerprint = "f00d",
        Description = "fake encoder",
        MaximumTokenCount = MaximumTokenCount,
        Save = stream => stream.Write("fake"u8),
    };

    public SentenceEmbeddingEstimator Estimator(MLContext context, SentenceEmbeddingEstimator.Options? options = null) =>
        new(context, options ?? Options(), _ => AsModel());

    public SentenceEmbeddingTransformer Fit(MLContext context, IDataView data, SentenceEmbeddingEstimator.Options? options = null) =>
        Estimator(context, options).Fit(data);

    public static SentenceEmbeddingEstimator.Options Options(params SentenceEmbeddingEstimator.ColumnOptions[] columns) =>
        new() { Columns = columns.Length == 0 ? [new("Features", "Text")] : columns };
}
