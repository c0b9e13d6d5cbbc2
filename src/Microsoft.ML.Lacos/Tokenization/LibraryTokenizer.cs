using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>Makes the tokenizer of Microsoft.ML.Tokenizers over a definition's vocabulary.</summary>
internal static class LibraryTokenizer
{
    public static BpeTokenizer Create(TokenizerDefinition definition)
    {
        TokenVocabulary vocabulary = definition.Vocabulary;
        IEnumerable<KeyValuePair<string, int>> tokens = Enumerable.Range(0, vocabulary.MaximumId + 1).Where(vocabulary.HasId).Select(id => KeyValuePair.Create(vocabulary.Text(id), id));
        IEnumerable<(string Left, string Right)> merges = definition.Merges.InOrder().Select(pair => (vocabulary.Text(pair.Left), vocabulary.Text(pair.Right)));
        return BpeTokenizer.Create(new BpeOptions(tokens.Concat(definition.AddedTokens.Where(token => vocabulary.Find(token.Content) < 0).Select(static token => KeyValuePair.Create(token.Content, token.Id))))
        {
            // Merges spelt with a space can never apply to byte symbols, and the library takes merges with one space each.
            Merges = merges.Where(static pair => !pair.Left.Contains(' ') && !pair.Right.Contains(' ')).Select(static pair => pair.Left + " " + pair.Right),
            ByteLevel = true,
            SpecialTokens = definition.AddedTokens.ToDictionary(static token => token.Content, static token => token.Id),
            PreTokenizer = new SplitterPreTokenizer(AddedTokenMatcher.Create(definition.AddedTokens, static token => token.Content), definition.Splitter),
            Normalizer = definition.NormalizeToFormC ? new FormCNormalizer() : null,
        });
    }
}
