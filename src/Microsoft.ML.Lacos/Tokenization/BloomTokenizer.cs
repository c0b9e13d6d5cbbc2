using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>BLOOM's tokenizer: byte-level byte-pair encoding as a <c>tokenizer.json</c> declares it.</summary>
/// <remarks>
/// <para>Ids are those of Hugging Face tokenizers for the same file. Supported: BPE on GPT-2's byte alphabet; BLOOM's split, GPT-2's split or none; no normaliser or NFC; a prefix space;
/// added tokens with all their flags. Bytes without a symbol in the vocabulary are left out, as the reference does without an unknown token. Anything else is refused when the file is read.
/// No token is added to a text. The file's truncation and padding are ignored.</para>
/// <para>Ordinary pieces are merged by <see cref="BpeTokenizer"/> of Microsoft.ML.Tokenizers and remembered in a bounded cache without locks; pieces of more than
/// 128 characters go through an own O(n log n) merge with the same result, so that time grows in proportion to the text whatever the text is.</para>
/// <para>A surrogate without its partner is encoded as U+FFFD. Thread-safe.</para>
/// </remarks>
public sealed partial class BloomTokenizer
{
    private readonly PieceSplitter _splitter;
    private readonly PrefixSpace _prefixSpace;
    private readonly bool _normalizesToFormC;
    private readonly AddedTokenMatcher? _addedInRawText;
    private readonly AddedTokenMatcher? _addedInNormalizedText;
    private readonly HashSet<string> _addedContents;
    private readonly TokenDecoder _decoder;
    private readonly LongPieceMerger _longPieces;
    private readonly BpeTokenizer _bpe;
    private readonly PieceCache _cache = new();

    private BloomTokenizer(TokenizerDefinition definition)
    {
        _splitter = definition.Splitter;
        _prefixSpace = definition.PrefixSpace;
        _normalizesToFormC = definition.NormalizeToFormC;
        _addedContents = definition.AddedTokens.Select(static token => token.Content).ToHashSet(StringComparer.Ordinal);
        _addedInRawText = AddedTokenMatcher.Create(definition.AddedTokens.Where(static token => !token.Normalized).Select(static token => (token.Content, token)));
        _addedInNormalizedText = AddedTokenMatcher.Create(definition.AddedTokens.Where(static token => token.Normalized)
            .Select(token => (_normalizesToFormC ? CanonicalComposition.Normalize(UnpairedSurrogates.Replace(token.Content)).ToString() : token.Content, token)));
        _decoder = new TokenDecoder(definition);
        _longPieces = CreateLongPieceMerger(definition);
        _bpe = BpeTokenizer.Create(new BpeOptions(definition.Vocabulary.Concat(definition.AddedTokens.Where(token => !definition.Vocabulary.ContainsKey(token.Content))
            .Select(static token => KeyValuePair.Create(token.Content, token.Id))))
        {
            // Merges spelt with a space can never apply to byte symbols, and the library takes merges with one space each.
            Merges = definition.Merges.Where(static pair => !pair.Left.Contains(' ') && !pair.Right.Contains(' ')).Select(static pair => pair.Left + " " + pair.Right),
            ByteLevel = true,
            SpecialTokens = definition.AddedTokens.ToDictionary(static token => token.Content, static token => token.Id),
            PreTokenizer = new SplitterPreTokenizer(AddedTokenMatcher.Create(definition.AddedTokens.Select(static token => (token.Content, token))), _splitter),
            Normalizer = _normalizesToFormC ? new FormCNormalizer() : null,
        });
    }

    /// <summary>Number of tokens, added tokens included.</summary>
    public int VocabularySize => _decoder.Count;

    /// <summary>Largest id; a model's embedding table needs at least one row more.</summary>
    public int MaxTokenId => _decoder.MaximumId;

    /// <summary>The tokenizer of Microsoft.ML.Tokenizers over the same vocabulary, for code that wants that type.</summary>
    /// <remarks>It gives the same ids on ordinary text, without this class's protection against very long pieces and without prefix space and the flags of added tokens.</remarks>
    public Tokenizer Tokenizer => _bpe;

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="utf8Json">The bytes of the file.</param>
    /// <exception cref="InvalidDataException">The bytes are not a tokenizer.json: not JSON, parts missing or of the wrong type, ids negative, huge or given twice, merges of unknown tokens.</exception>
    /// <exception cref="NotSupportedException">The file declares something that would be tokenised differently here: another model than BPE, an unknown split pattern,
    /// a post-processor that adds tokens, dropout, another normaliser.</exception>
    public static BloomTokenizer FromJson(ReadOnlySpan<byte> utf8Json) => new(TokenizerJson.Read(utf8Json));

    /// <summary>Text of ids.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Whether tokens declared special are left out.</param>
    /// <returns>The tokens' bytes as UTF-8; bytes that are none become U+FFFD. Equal to the encoded text unless that was changed by a normaliser, prefix space, missing byte symbols or a token
    /// that swallows white space.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No token has one of the ids.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _decoder.Decode(ids, skipSpecialTokens);
    }

    private static LongPieceMerger CreateLongPieceMerger(TokenizerDefinition definition)
    {
        var byteIds = new int[byte.MaxValue + 1];
        for (int value = 0; value < byteIds.Length; value++)
        {
            byteIds[value] = definition.Vocabulary.GetValueOrDefault(ByteLevelAlphabet.ToCharacter((byte)value).ToString(), -1);
        }
        var merges = new MergeTable(definition.Merges.Count);
        for (int rank = 0; rank < definition.Merges.Count; rank++)
        {
            (string left, string right) = definition.Merges[rank];
            merges.Add(definition.Vocabulary[left], definition.Vocabulary[right], rank, definition.Vocabulary[left + right]);
        }
        return new LongPieceMerger(byteIds, merges);
    }
}
