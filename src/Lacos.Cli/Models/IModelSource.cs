using System.Globalization;
using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

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

    /// <summary>Encodes texts and refuses vectors that are none: a file would carry NaN, and 8 bits or signs would hide it.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="vectors">Output: [texts, dimension] row-major.</param>
    /// <param name="place">Where a text stands, by its index, for the message.</param>
    /// <param name="cancellationToken">Ends the encoding.</param>
    /// <returns>Texts that had more tokens than the limit.</returns>
    /// <exception cref="ToolException">A vector holds NaN or infinity, or a text is too long and that is an error.</exception>
    public int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Func<int, string> place, CancellationToken cancellationToken)
    {
        int longTexts = EncodeTexts(texts, vectors, cancellationToken);
        int bad = TensorFloats.IndexOfNonFinite(vectors);
        return bad < 0
            ? longTexts
            : throw new ToolException(string.Create(
                CultureInfo.InvariantCulture,
                $"{place(bad / Encoder.Dimension)} has {vectors[bad]} in its vector, at element {bad % Encoder.Dimension}. The weights of the model are damaged, or too large for this arithmetic: fetch or convert the model again, or try another --compute."));
    }

    /// <summary>The same weights with another prompt, that of second sentences; its caller disposes it.</summary>
    /// <param name="prompt">The text; empty for none.</param>
    /// <param name="promptName">Name of one of the model's prompts, in place of a text.</param>
    /// <exception cref="ArgumentException">The model has no prompt of that name, or the prompt leaves no token for a text.</exception>
    public LoadedModel WithSecondPrompt(string? prompt, string? promptName)
    {
        SentenceEncoder sentences = Encoder as SentenceEncoder ?? throw new NotSupportedException("This encoder is not made of a model file and has no prompts. Leave them out.");
        SentenceEncoder second = sentences.WithPrompt(sentences.Model.Settings.PromptText(prompt, promptName, AppliedPrompt.SecondPrefix));
        return new LoadedModel(second, Facts with { Prompt = second.Prompt }, null);
    }

    private int EncodeTexts(ReadOnlySpan<string?> texts, Span<float> vectors, CancellationToken cancellationToken)
    {
        try
        {
            return Encoder.Encode(texts, vectors, [], cancellationToken);
        }
        catch (ArgumentException error)
        {
            throw new ToolException(OptionName.InMessage(error), error);
        }
    }

    public void Dispose()
    {
        Encoder.Dispose();
        owner?.Dispose();
    }
}
