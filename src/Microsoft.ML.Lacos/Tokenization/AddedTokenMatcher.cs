using System.Buffers;
using System.Globalization;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Finds added tokens in a text: leftmost first, the longest where several start at one place.</summary>
internal sealed class AddedTokenMatcher
{
    private const int Root = 0;
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _ends = [null];
    private readonly SearchValues<char> _firstCharacters;

    private AddedTokenMatcher(IEnumerable<(string Spelling, AddedToken Token)> entries)
    {
        var first = new HashSet<char>();
        foreach ((string spelling, AddedToken token) in entries)
        {
            first.Add(spelling[0]);
            int node = Root;
            foreach (char next in spelling)
            {
                if (!_edges.TryGetValue((node, next), out int child))
                {
                    child = _ends.Count;
                    _ends.Add(null);
                    _edges.Add((node, next), child);
                }
                node = child;
            }
            _ends[node] = token;
        }
        _firstCharacters = SearchValues.Create([.. first]);
    }

    /// <summary>A matcher for tokens and the spelling each is looked for in, or <see langword="null"/> when there is nothing to look for.</summary>
    public static AddedTokenMatcher? Create(IEnumerable<(string Spelling, AddedToken Token)> entries)
    {
        (string Spelling, AddedToken Token)[] all = [.. entries.Where(static entry => entry.Spelling.Length > 0)];
        return all.Length == 0 ? null : new AddedTokenMatcher(all);
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
        for (int at = start; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
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
