using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Reads a text as a sequence of added tokens and of the stretches between them.</summary>
/// <remarks>Follows <c>AddedVocabulary::find_matches</c> of Hugging Face tokenizers, including that the search goes on behind the token itself and not behind the space it swallowed.</remarks>
internal ref struct AddedTokenReader
{
    private const int NoToken = -1;
    private readonly AddedTokenMatcher? _matcher;
    private readonly ReadOnlySpan<char> _text;
    private int _searchFrom;
    private int _consumed;
    private int _pendingEnd;
    private int _pendingId;

    public AddedTokenReader(AddedTokenMatcher? matcher, ReadOnlySpan<char> text)
    {
        _matcher = matcher;
        _text = text;
        _pendingId = NoToken;
    }

    /// <summary>Moves on.</summary>
    /// <param name="stretch">Text between added tokens, not empty; empty where the item is a token.</param>
    /// <param name="offset">Where the item starts in the text.</param>
    /// <param name="length">Its length, with the white space a token swallowed.</param>
    /// <param name="id">Id of the added token, or negative for a stretch of text.</param>
    /// <returns>False at the end.</returns>
    public bool Read(out ReadOnlySpan<char> stretch, out int offset, out int length, out int id)
    {
        stretch = default;
        if (_pendingId != NoToken)
        {
            id = _pendingId;
            offset = _consumed;
            length = _pendingEnd - _consumed;
            _consumed = _pendingEnd;
            _pendingId = NoToken;
            return true;
        }
        id = NoToken;
        offset = _consumed;
        while (_matcher is not null && _matcher.TryFind(_text, _searchFrom, out int start, out int end, out AddedToken? token))
        {
            _searchFrom = end;
            if (token!.SingleWord && (EndsWithWord(_text[..start]) || StartsWithWord(_text[end..])))
            {
                continue;
            }
            if (token.LeftStrip)
            {
                start = start > _consumed ? _consumed + _text[_consumed..start].TrimEnd().Length : _consumed;
            }
            if (token.RightStrip)
            {
                // A token found inside white space that is swallowed already ends where that ends; looking again from its own end would be quadratic.
                end = _text.Length - _text[Math.Max(end, _consumed)..].TrimStart().Length;
            }
            if (end <= start)
            {
                // White space of which an earlier token swallowed everything, this token's own characters too: the reference drops it.
                continue;
            }
            if (start > _consumed)
            {
                stretch = _text[_consumed..start];
                length = stretch.Length;
                _consumed = start;
                _pendingEnd = end;
                _pendingId = token.Id;
                return true;
            }
            id = token.Id;
            offset = start;
            length = end - start;
            _consumed = end;
            return true;
        }
        stretch = _text[_consumed..];
        length = stretch.Length;
        _consumed = _searchFrom = _text.Length;
        return length > 0;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == System.Buffers.OperationStatus.Done && AddedTokenMatcher.IsWordCharacter(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == System.Buffers.OperationStatus.Done && AddedTokenMatcher.IsWordCharacter(rune);
}
