using System.Buffers;
using System.Globalization;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Finds added tokens in a text: leftmost first, the longest where several start at one place.</summary>
internal sealed class AddedTokenMatcher
{
    private const int Root = 0;
    private readonly MergeTable _edges = new(16);
    private readonly List<AddedToken?> _ends = [null];
    private readonly SearchValues<char> _firstCharacters;

    private AddedTokenMatcher(List<AddedToken> tokens, Func<AddedToken, string> spellingOf)
    {
        var first = new StringBuilder();
        foreach (AddedToken token in tokens)
        {
            string spelling = spellingOf(token);
            first.Append(spelling, 0, 1);
            int node = Root;
            foreach (char next in spelling)
            {
                if (!_edges.TryGet(node, next, out _, out int child))
                {
                    child = _ends.Count;
                    _ends.Add(null);
                    _edges.Add(node, next, 0, child);
                }
                node = child;
            }
            _ends[node] ??= token;
        }
        _firstCharacters = SearchValues.Create(first.ToString());
    }

    /// <summary>A matcher, or <see langword="null"/> when there is nothing to look for.</summary>
    /// <param name="tokens">What to look for; of several with one spelling, the first special one or else the first.</param>
    /// <param name="spellingOf">The spelling in which a token is looked for; one without any is not.</param>
    public static AddedTokenMatcher? Create(List<AddedToken> tokens, Func<AddedToken, string> spellingOf)
    {
        List<AddedToken> some = [.. tokens.Where(token => spellingOf(token).Length > 0).OrderByDescending(static token => token.Special)];
        return some.Count == 0 ? null : new AddedTokenMatcher(some, spellingOf);
    }

    /// <summary>The first match at or after <paramref name="from"/>.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken? token)
    {
        for (start = from; start < text.Length; start++)
        {
            int skipped = text[start..].IndexOfAny(_firstCharacters);
            if (skipped < 0)
            {
                break;
            }
            start += skipped;
            if (LongestAt(text, start, out end, out token))
            {
                return true;
            }
        }
        end = start;
        token = null;
        return false;
    }

    /// <summary>A word character as Rust's <c>\w</c>: alphabetic, mark, decimal digit, connector, joiner.</summary>
    public static bool IsWordCharacter(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.LetterNumber => true,
        UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.OtherSymbol => rune.Value is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => rune.Value is 0x200C or 0x200D,
    };

    private bool LongestAt(ReadOnlySpan<char> text, int start, out int end, out AddedToken? token)
    {
        token = null;
        end = start;
        int node = Root;
        for (int at = start; at < text.Length && _edges.TryGet(node, text[at], out _, out node); at++)
        {
            if (_ends[node] is { } found)
            {
                token = found;
                end = at + 1;
            }
        }
        return token is not null;
    }
}
