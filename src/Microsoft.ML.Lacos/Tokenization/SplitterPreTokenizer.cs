using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Offers added tokens and pieces to a tokenizer of Microsoft.ML.Tokenizers.</summary>
internal sealed class SplitterPreTokenizer(AddedTokenMatcher? addedTokens, PieceSplitter splitter) : PreTokenizer
{
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => PreTokenize(text.AsSpan());

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
    {
        var pieces = new List<(int, int)>();
        var reader = new AddedTokenReader(addedTokens, text);
        while (reader.Read(out ReadOnlySpan<char> stretch, out int offset, out int length, out int id))
        {
            if (id >= 0)
            {
                pieces.Add((offset, length));
                continue;
            }
            for (int at = 0; at < stretch.Length;)
            {
                int piece = splitter.NextLength(stretch[at..]);
                pieces.Add((offset + at, piece));
                at += piece;
            }
        }
        return pieces;
    }
}

/// <summary>Offers form C to a tokenizer of Microsoft.ML.Tokenizers.</summary>
internal sealed class FormCNormalizer : Normalizer
{
    public override string Normalize(string original) => CanonicalComposition.Normalize(original).ToString();

    public override string Normalize(ReadOnlySpan<char> original) => CanonicalComposition.Normalize(original).ToString();
}
