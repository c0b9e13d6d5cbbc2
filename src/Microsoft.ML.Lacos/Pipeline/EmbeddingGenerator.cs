using Microsoft.Extensions.AI;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>.NET's own abstraction of an embedding model over the weights of a transformer or an encoder.</summary>
internal sealed class EmbeddingGenerator(IGeneratorModel model) : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly EmbeddingGeneratorMetadata _metadata = new("lacos", defaultModelId: model.ModelName, defaultModelDimensions: model.Vectors.Dimension);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        int dimension = options?.Dimensions ?? model.Vectors.Dimension;
        if (dimension < 1 || dimension > model.Vectors.Dimension)
        {
            throw new ArgumentOutOfRangeException(nameof(options), dimension, $"Dimensions must be from 1 to {model.Vectors.Dimension}, the model's own; leave it out for all.");
        }
        string[] texts = [.. values.Select(text => text ?? "")];

        // The lease of this call keeps the model alive when the generator is disposed meanwhile.
        IDisposable running = model.Enter(this);
        return Task.Run(
            () =>
            {
                using (running)
                {
                    return Generate(texts, dimension, cancellationToken);
                }
            },
            CancellationToken.None);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    public void Dispose() => model.Dispose();

    private GeneratedEmbeddings<Embedding<float>> Generate(string[] texts, int dimension, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, model.Cancellation);
        var encoded = new EncodedText?[texts.Length];
        int longTexts = 0;
        for (int start = 0; start < texts.Length; start += model.TextsPerCall)
        {
            int count = Math.Min(model.TextsPerCall, texts.Length - start);
            longTexts += model.Vectors.Encode(texts.AsSpan(start, count), encoded.AsSpan(start, count), either.Token);
        }
        model.ReportLongTexts(longTexts);
        long tokens = encoded.Sum(text => (long)text!.TokenCount);
        return new GeneratedEmbeddings<Embedding<float>>(encoded.Select(text => new Embedding<float>(Cut(text!.Vector, dimension, model.Vectors.IsNormalized))
        {
            CreatedAt = DateTimeOffset.UtcNow,
            ModelId = model.ModelName,
        }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }

    // A copy in every case: callers may write into what they are given, and the memory of vectors must not change.
    private static float[] Cut(float[] vector, int dimension, bool normalize)
    {
        float[] cut = vector[..dimension];
        if (normalize && dimension < vector.Length)
        {
            double squares = 0;
            foreach (float value in cut)
            {
                squares += (double)value * value;
            }
            double scale = 1 / Math.Max(Math.Sqrt(squares), 1e-12);
            for (int i = 0; i < cut.Length; i++)
            {
                cut[i] = (float)(cut[i] * scale);
            }
        }
        return cut;
    }
}
