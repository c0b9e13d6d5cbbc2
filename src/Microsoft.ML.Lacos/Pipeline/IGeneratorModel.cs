namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What an <see cref="EmbeddingGenerator"/> needs of what it is made from; disposing ends the generator's own share in the model.</summary>
internal interface IGeneratorModel : IDisposable
{
    /// <summary>Name of the model.</summary>
    string ModelName { get; }

    /// <summary>Vectors of texts.</summary>
    TextVectors Vectors { get; }

    /// <summary>Texts encoded together, at most.</summary>
    int TextsPerCall { get; }

    /// <summary>Ends every call.</summary>
    CancellationToken Cancellation { get; }

    /// <summary>Keeps the model open for a call, whoever disposes the generator meanwhile, until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The generator, which is named, has been disposed.</exception>
    IDisposable Enter(object generator);

    /// <summary>Takes note of texts that had more tokens than the limit.</summary>
    void ReportLongTexts(int count);
}
