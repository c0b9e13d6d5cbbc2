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

    /// <summary>Gives an encoder with another prompt over the same weights; its caller disposes it.</summary>
    /// <param name="prompt">The text; empty for none.</param>
    /// <exception cref="ArgumentException">The prompt leaves no token for a text.</exception>
    public ITextEncoder WithPrompt(string prompt) => Sentences.WithPrompt(prompt);

    /// <summary>The text of a prompt that a column gives as a text or by name.</summary>
    /// <exception cref="ArgumentException">The model has no prompt of that name.</exception>
    public string PromptText(string? prompt, string? promptName) => Sentences.Model.Settings.PromptText(prompt, promptName);

    /// <summary>Whether the encoder puts this text before every sentence already.</summary>
    public bool Has(string prompt) => Sentences.Prompt == prompt;

    private SentenceEncoder Sentences => Encoder as SentenceEncoder ?? throw new NotSupportedException($"The encoder of '{Name}' is not made of a model file and has no prompts; leave them out of the columns.");

    public void Dispose()
    {
        Encoder.Dispose();
        Model?.Dispose();
    }
}
