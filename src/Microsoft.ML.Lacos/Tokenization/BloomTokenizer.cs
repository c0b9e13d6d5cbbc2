using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>BLOOM's tokenizer: byte-level byte-pair encoding as a <c>tokenizer.json</c> declares it.</summary>
/// <remarks>
/// <para>Ids are those of Hugging Face tokenizers for the same file. Supported: BPE on GPT-2's byte alphabet; BLOOM's split, GPT-2's split or none; no normaliser or NFC; a prefix space;
/// added tokens with all their flags. Bytes without a symbol in the vocabulary are left out, as the reference does without an unknown token. Anything else is refused when the file is read.
/// No token is added to a text. The file's padding is ignored, and of its truncation all but the side, which must be the right.</para>
/// <para>Pieces are merged here and not by <see cref="BpeTokenizer"/> of Microsoft.ML.Tokenizers, which gives the same ids: it needs a second for tables over a vocabulary of BLOOM's size, and for
/// a long piece time that grows with the square of its length. Merged pieces are remembered in a bounded cache without locks.</para>
/// <para>A surrogate without its partner is encoded as U+FFFD. Thread-safe.</para>
/// </remarks>
public sealed partial class BloomTokenizer
{
    private readonly PieceSplitter _splitter;
    private readonly PrefixSpace _prefixSpace;
    private readonly bool _normalizesToFormC;
    private readonly AddedTokenMatcher? _addedInRawText;
    private readonly AddedTokenMatcher? _addedInNormalizedText;
    private readonly PieceMerger _pieces;
    private readonly HashSet<int> _special;
    private readonly Lazy<TokenDecoder> _decoder;
    private readonly Lazy<BpeTokenizer> _bpe;
    private readonly PieceCache _cache = new();

    private BloomTokenizer(TokenizerDefinition definition)
    {
        _splitter = definition.Splitter;
        _prefixSpace = definition.PrefixSpace;
        _normalizesToFormC = definition.NormalizeToFormC;
        _addedInRawText = AddedTokenMatcher.Create(definition.AddedTokens.FindAll(static token => !token.Normalized), static token => token.Content);
        _addedInNormalizedText = AddedTokenMatcher.Create(definition.AddedTokens.FindAll(static token => token.Normalized),
            token => _normalizesToFormC ? CanonicalComposition.Normalize(UnpairedSurrogates.Replace(token.Content)).ToString() : token.Content);
        var byteIds = new int[byte.MaxValue + 1];
        for (int value = 0; value < byteIds.Length; value++)
        {
            byteIds[value] = definition.Vocabulary.FindByte((byte)value);
        }
        _pieces = new PieceMerger(byteIds, definition.Merges);
        List<AddedToken> beside = definition.AddedTokens.FindAll(token => definition.Vocabulary.Find(token.Content) < 0);
        VocabularySize = definition.Vocabulary.Count + beside.Count;
        MaxTokenId = definition.Vocabulary.MaximumId;
        foreach (AddedToken token in beside)
        {
            MaxTokenId = Math.Max(MaxTokenId, token.Id);
        }
        _special = [.. definition.AddedTokens.Where(static token => token.Special).Select(static token => token.Id)];
        _decoder = new Lazy<TokenDecoder>(() => new TokenDecoder(definition, MaxTokenId, _special));
        _bpe = new Lazy<BpeTokenizer>(() => LibraryTokenizer.Create(definition));
    }

    /// <summary>Number of tokens, added tokens included.</summary>
    public int VocabularySize { get; }

    /// <summary>Largest id; a model's embedding table needs at least one row more.</summary>
    public int MaxTokenId { get; }

    /// <summary>The tokenizer of Microsoft.ML.Tokenizers over the same vocabulary, for code that wants that type.</summary>
    /// <remarks>Made when first asked for. It gives the same ids on ordinary text, without this class's protection against very long pieces and without prefix space and the flags of added tokens.</remarks>
    public Tokenizer Tokenizer => _bpe.Value;

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="utf8Json">The bytes of the file.</param>
    /// <exception cref="InvalidDataException">The bytes are not a tokenizer.json: not JSON, parts missing or of the wrong type, ids negative, huge or given twice, merges of unknown tokens.</exception>
    /// <exception cref="NotSupportedException">The file declares something that would be tokenised differently here: another model than BPE, an unknown split pattern,
    /// a post-processor that adds tokens, truncation on the left, dropout, another normaliser.</exception>
    public static BloomTokenizer FromJson(ReadOnlySpan<byte> utf8Json) => new(TokenizerJson.Read(utf8Json));

    /// <summary>Whether a token is declared special.</summary>
    internal bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>Text of ids.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Whether tokens declared special are left out.</param>
    /// <returns>The tokens' bytes as UTF-8; bytes that are none become U+FFFD. Equal to the encoded text unless that was changed by a normaliser, prefix space, missing byte symbols or a token
    /// that swallows white space. A file that names no decoder is decoded in the same way.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No token has one of the ids.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return _decoder.Value.Decode(ids, skipSpecialTokens);
    }
}
