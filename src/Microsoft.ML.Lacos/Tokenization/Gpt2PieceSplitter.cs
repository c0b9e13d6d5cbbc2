using System.Globalization;
using System.Text;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>GPT-2's split: English contractions, runs of letters, of numbers and of anything else with the space before them, and white space.</summary>
/// <remarks>
/// The pattern is <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c> over code points. .NET's own regular expressions see surrogates and not letters
/// beyond the basic plane, so they would cut elsewhere. Categories are those of the running .NET; code points assigned since the reference's Unicode version may differ.
/// </remarks>
internal sealed class Gpt2PieceSplitter : PieceSplitter
{
    /// <summary>The pattern as files declare it when it is not implied by a byte-level pre-tokenizer.</summary>
    public const string DeclaredPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The same pattern with the contractions gathered, as some files have it.</summary>
    public const string GatheredPattern = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    public override int NextLength(ReadOnlySpan<char> text)
    {
        int contraction = ContractionLength(text);
        if (contraction > 0)
        {
            return contraction;
        }
        int start = text[0] == ' ' && text.Length > 1 && KindAt(text, 1, out _) != Kind.Space ? 1 : 0;
        Kind kind = KindAt(text, start, out int units);
        int end = start + units;
        while (end < text.Length && KindAt(text, end, out units) == kind)
        {
            end += units;
        }
        // White space gives its last character to what follows, unless it has only one.
        return kind == Kind.Space && end < text.Length && end > 1 ? end - 1 : end;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
        {
            return 0;
        }
        if (text[1] is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }
        return text.Length > 2 && (text[1], text[2]) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index, out int units)
    {
        char character = text[index];
        units = 1;
        if (char.IsAscii(character))
        {
            return char.IsAsciiLetter(character) ? Kind.Letter : char.IsAsciiDigit(character) ? Kind.Number : char.IsWhiteSpace(character) ? Kind.Space : Kind.Other;
        }
        if (IsWhiteSpace(character))
        {
            return Kind.Space;
        }
        Rune.DecodeFromUtf16(text[index..], out Rune rune, out units);
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }
}
