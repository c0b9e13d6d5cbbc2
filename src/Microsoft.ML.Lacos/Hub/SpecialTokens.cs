using System.Text.Json;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>BLOOM's special tokens, those of them that a <c>tokenizer.json</c> has.</summary>
internal sealed class SpecialTokens
{
    private static readonly (string Role, string Content)[] Known = [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];

    private readonly List<(string Role, string Content, int Id)> _tokens = [];

    private SpecialTokens()
    {
    }

    /// <summary>Looks them up among the added tokens. Without one for padding, which every batch of a tokenizer needs, the end of the text takes its place: padding is masked out.</summary>
    /// <exception cref="InvalidDataException">The tokenizer is damaged.</exception>
    public static SpecialTokens Read(byte[] tokenizerJson)
    {
        const string Where = LacosFormat.Tokenizer;
        using JsonDocument document = JsonFile.Parse(TokenizerVocabulary.Sections(tokenizerJson, Where).Rest, Where);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        if (JsonFile.Optional(document.RootElement, "added_tokens", Where) is { ValueKind: JsonValueKind.Array } added)
        {
            foreach (JsonElement token in added.EnumerateArray())
            {
                if (JsonFile.String(token, "content", Where) is string content && JsonFile.Integer(token, "id", Where) is int id)
                {
                    ids[content] = id;
                }
            }
        }
        var tokens = new SpecialTokens();
        foreach ((string role, string content) in Known)
        {
            string? found = ids.ContainsKey(content) ? content : role == "pad_token" && ids.ContainsKey("</s>") ? "</s>" : null;
            if (found is not null)
            {
                tokens._tokens.Add((role, found, ids[found]));
            }
        }
        return tokens;
    }

    /// <summary>Writes <c>bos_token</c> and so on.</summary>
    public void WriteTo(Utf8JsonWriter json) => _tokens.ForEach(token => json.WriteString(token.Role, token.Content));

    /// <summary>Writes <c>bos_token_id</c> and so on.</summary>
    public void WriteIdsTo(Utf8JsonWriter json) => _tokens.ForEach(token => json.WriteNumber(token.Role + "_id", token.Id));
}
