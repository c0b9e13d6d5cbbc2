using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>A model opened for encoding, and what the pipeline pieces have to know about it.</summary>
internal sealed partial class EmbeddingModel : IDisposable
{
    /// <summary>Turns texts into vectors.</summary>
    public required ITextEncoder Encoder { get; init; }

    /// <summary>Name for messages.</summary>
    public required string Name { get; init; }

    /// <summary>sha256 of the model file, in hexadecimal.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>What runs the model.</summary>
    public required string Description { get; init; }

    /// <summary>Tokens a text may have.</summary>
    public required int MaximumTokenCount { get; init; }

    /// <summary>Writes the model as a <c>.lacos</c> file.</summary>
    public required Action<Stream> Save { get; init; }

    /// <summary>The model itself, where the encoder is made of one.</summary>
    public LacosModel? Model { get; init; }

    public void Dispose()
    {
        Encoder.Dispose();
        Model?.Dispose();
    }
}
