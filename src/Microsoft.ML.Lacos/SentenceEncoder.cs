using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos;

/// <summary>Turns texts into vectors without ML.NET: tokenizer, encoder, pooling.</summary>
public sealed partial class SentenceEncoder
{
    private SentenceEncoder(LacosModel model, SentenceEncoderOptions options)
    {
        Model = model;
        Options = options;
    }

    /// <summary>The model.</summary>
    public LacosModel Model { get; }

    /// <summary>The options given.</summary>
    public SentenceEncoderOptions Options { get; }
}
