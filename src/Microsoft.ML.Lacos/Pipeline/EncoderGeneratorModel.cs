using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>A <see cref="SentenceEncoder"/> as the model of a generator, which keeps it open until it is disposed and its last call has ended.</summary>
internal sealed class EncoderGeneratorModel : IGeneratorModel, ITextEncoder
{
    private readonly SentenceEncoder _encoder;
    private readonly UseCount _uses;

    public EncoderGeneratorModel(SentenceEncoder encoder)
    {
        encoder.BeginUse();
        _encoder = encoder;
        _uses = new UseCount(encoder.EndUse);
        ModelName = EmbeddingModel.NameOf(encoder.Model);
        Vectors = new TextVectors(this, new VectorMemory(0));
    }

    public string ModelName { get; }

    public TextVectors Vectors { get; }

    public int TextsPerCall => 4096;

    public CancellationToken Cancellation => CancellationToken.None;

    public int Dimension => _encoder.Dimension;

    public bool IsNormalized => _encoder.IsNormalized;

    public IDisposable Enter(object generator)
    {
        _uses.Enter(generator);
        return new Call(_uses);
    }

    // The encoder has no log to write to; who wants the number calls it directly.
    public void ReportLongTexts(int count)
    {
    }

    public int Encode(ReadOnlySpan<string?> texts, Span<float> vectors, Span<int> tokenCounts, CancellationToken cancellationToken) =>
        _encoder.EncodeInUse(texts, vectors, tokenCounts, cancellationToken);

    public int CountTokens(string? text) => _encoder.CountTokensInUse(text);

    public void Dispose() => _uses.Close();

    private sealed class Call(UseCount uses) : IDisposable
    {
        private UseCount? _uses = uses;

        public void Dispose() => Interlocked.Exchange(ref _uses, null)?.Leave();
    }
}
