namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Where a space is put before text that has none.</summary>
internal enum PrefixSpace
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>Before each stretch between added tokens.</summary>
    Stretch,

    /// <summary>Before each piece.</summary>
    Piece,
}

/// <summary>What a <c>tokenizer.json</c> declares, checked.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>The tokens of the model, spelt in the byte-level alphabet.</summary>
    public required TokenVocabulary Vocabulary { get; init; }

    /// <summary>Pairs that merge, the first with the highest precedence; both sides and the product are in the vocabulary.</summary>
    public required MergeTable Merges { get; init; }

    /// <summary>Tokens found before splitting.</summary>
    public required List<AddedToken> AddedTokens { get; init; }

    /// <summary>How text is cut into pieces.</summary>
    public required PieceSplitter Splitter { get; init; }

    /// <summary>Where a space is put.</summary>
    public required PrefixSpace PrefixSpace { get; init; }

    /// <summary>Whether text is brought into normalisation form C.</summary>
    public required bool NormalizeToFormC { get; init; }
}
