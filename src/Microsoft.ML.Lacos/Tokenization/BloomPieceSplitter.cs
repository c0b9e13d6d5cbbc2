using System.Buffers;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>BLOOM's split: words with the space before them, and whatever lies between as pieces of its own.</summary>
/// <remarks>
/// The declared pattern is <c> ?[^(\s|[.,!?…。，、।۔،])]+</c> with behaviour Isolated. Oniguruma reads the inner brackets as a nested class, so that a word is a run of anything but
/// white space, parentheses, the bar and eleven marks (39 code points, all in the basic plane). With the gaps that "Isolated" keeps, the equivalent .NET pattern is
/// <c> ?[^(\s|.,!?…。，、।۔،)]+|(?:(?! [^(\s|.,!?…。，、।۔،)])[(\s|.,!?…。，、।۔،)])+</c>, to which the tests hold this scanner.
/// </remarks>
internal sealed class BloomPieceSplitter : PieceSplitter
{
    /// <summary>The pattern in BLOOM's own file.</summary>
    public const string DeclaredPattern = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+";

    /// <summary>The same set of words with the nested class written out, as some conversions have it.</summary>
    public const string FlatPattern = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";

    private static readonly SearchValues<char> Separators = SearchValues.Create(
        "(|).,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000");

    public override int NextLength(ReadOnlySpan<char> text)
    {
        if (StartsWord(text))
        {
            int length = text[1..].IndexOfAny(Separators);
            return length < 0 ? text.Length : length + 1;
        }
        int end = 1;
        while (end < text.Length && Separators.Contains(text[end]) && !StartsWord(text[end..]))
        {
            end++;
        }
        return end;
    }

    private static bool StartsWord(ReadOnlySpan<char> text) =>
        !Separators.Contains(text[0]) || (text[0] == ' ' && text.Length > 1 && !Separators.Contains(text[1]));
}
