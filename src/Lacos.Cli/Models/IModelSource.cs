using Microsoft.ML.Lacos;

namespace Lacos.Cli.Models;

/// <summary>Opens models; the one place where commands and the library's encoder meet.</summary>
internal interface IModelSource
{
    /// <summary>Opens a model and prepares it for encoding.</summary>
    /// <param name="model">A <c>.lacos</c> file or a model folder; <see langword="null"/> for the built-in model.</param>
    /// <param name="adapter">Folder of a PEFT adapter to merge into it; <see langword="null"/> for none.</param>
    /// <param name="options">How to encode.</param>
    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    LoadedModel Open(string? model, string? adapter, SentenceEncoderOptions options);
}

/// <summary>An encoder and what is written down about the vectors it makes.</summary>
internal sealed class LoadedModel(ITextEncoder encoder, ModelFacts facts, IDisposable? owner) : IDisposable
{
    public ITextEncoder Encoder { get; } = encoder;

    public ModelFacts Facts { get; } = facts;

    public void Dispose()
    {
        Encoder.Dispose();
        owner?.Dispose();
    }
}
