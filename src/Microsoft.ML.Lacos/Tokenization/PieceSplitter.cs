namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Cuts text into the pieces that are merged independently of each other (the "pre-tokenizer").</summary>
/// <remarks>
/// Written as scanners and not as <see cref="System.Text.RegularExpressions.Regex"/>: the declared patterns are Oniguruma's, whose classes nest and whose letters are
/// code points, where .NET reads the same text differently and sees UTF-16 units. A scanner is also linear by construction. Pieces cover the text without gaps.
/// </remarks>
internal abstract class PieceSplitter
{
    /// <summary>Length of the first piece.</summary>
    /// <param name="text">What is left of the text; not empty, without unpaired surrogates.</param>
    /// <returns>At least 1, at most the length of <paramref name="text"/>.</returns>
    public abstract int NextLength(ReadOnlySpan<char> text);

    /// <summary>White space as Oniguruma's and Rust's <c>\s</c> have it: the 25 code points of Unicode's White_Space.</summary>
    public static bool IsWhiteSpace(char character) => char.IsWhiteSpace(character);
}

/// <summary>One piece, whatever the text.</summary>
internal sealed class WholeTextSplitter : PieceSplitter
{
    public override int NextLength(ReadOnlySpan<char> text) => text.Length;
}
