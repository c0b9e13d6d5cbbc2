using Microsoft.Extensions.AI;
using Microsoft.ML.Lacos.Bloom;

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
        return GenerateAsync(texts, dimension, model.Enter(this), cancellationToken);
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

    private async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(string[] texts, int dimension, IDisposable running, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(
                () =>
                {
                    using (running)
                    {
                        return Generate(texts, dimension, cancellationToken);
                    }
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException error)
        {
            // Of the two tokens that were looked at as one, the one that was cancelled: callers tell by it whether they did it.
            throw new OperationCanceledException(error.Message, error, cancellationToken.IsCancellationRequested ? cancellationToken : model.Cancellation);
        }
    }

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
            Pooling.Normalize(cut);
        }
        return cut;
    }
}
