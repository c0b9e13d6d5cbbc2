using Microsoft.Extensions.AI;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>.NET's own abstraction of an embedding model over a transformer's weights and memory of vectors.</summary>
internal sealed class EmbeddingGenerator(EmbeddingContext context) : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly EmbeddingGeneratorMetadata _metadata = new("lacos", defaultModelId: context.Model.Name, defaultModelDimensions: context.Vectors.Dimension);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        int dimension = options?.Dimensions ?? context.Vectors.Dimension;
        if (dimension < 1 || dimension > context.Vectors.Dimension)
        {
            throw new ArgumentOutOfRangeException(nameof(options), dimension, $"Dimensions must be from 1 to {context.Vectors.Dimension}, the model's own; leave it out for all.");
        }
        string[] texts = [.. values.Select(text => text ?? "")];

        // The lease of this call keeps the model alive when the generator is disposed meanwhile.
        EmbeddingContext running = context.Another(this);
        return Task.Run(
            () =>
            {
                using (running)
                {
                    return Generate(running, texts, dimension, cancellationToken);
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

    public void Dispose() => context.Dispose();

    private static GeneratedEmbeddings<Embedding<float>> Generate(EmbeddingContext context, string[] texts, int dimension, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.Options.CancellationToken);
        var encoded = new EncodedText?[texts.Length];
        int longTexts = 0;
        for (int start = 0; start < texts.Length; start += context.Options.LookAheadRows)
        {
            int count = Math.Min(context.Options.LookAheadRows, texts.Length - start);
            longTexts += context.Vectors.Encode(texts.AsSpan(start, count), encoded.AsSpan(start, count), either.Token);
        }
        context.ReportLongTexts(longTexts);
        long tokens = encoded.Sum(text => (long)text!.TokenCount);
        return new GeneratedEmbeddings<Embedding<float>>(encoded.Select(text => new Embedding<float>(Cut(text!.Vector, dimension, context.Vectors.IsNormalized))
        {
            CreatedAt = DateTimeOffset.UtcNow,
            ModelId = context.Model.Name,
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
