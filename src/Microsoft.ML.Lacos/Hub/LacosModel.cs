using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>A sentence-embedding model in memory: BLOOM weights, tokenizer, settings and provenance.</summary>
/// <remarks>Immutable after loading. The weights may lie in a mapped file, which stays mapped until the object is disposed.</remarks>
public sealed partial class LacosModel : IDisposable
{
    private readonly IDisposable? _memory;

    internal LacosModel(BloomWeights weights, byte[] tokenizerJson, SentenceSettings settings, IReadOnlyDictionary<string, string> provenance, IDisposable? memory)
    {
        Weights = weights;
        TokenizerJson = tokenizerJson;
        Settings = settings;
        Provenance = provenance;
        _memory = memory;
    }

    /// <summary>Weights of the encoder.</summary>
    public BloomWeights Weights { get; }

    /// <summary>The bytes of the model's <c>tokenizer.json</c>.</summary>
    public ReadOnlyMemory<byte> TokenizerJson { get; }

    /// <summary>Pooling, normalisation, prompts, token limit.</summary>
    public SentenceSettings Settings { get; }

    /// <summary>Name, licence, origin and whatever else the model's makers wrote down.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();
}
