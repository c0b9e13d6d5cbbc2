using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>What a folder's <c>tokenizer_config.json</c> says beside its <c>tokenizer.json</c>.</summary>
internal static class TokenizerConfig
{
    private const string Name = "tokenizer_config.json";
    private const string AddedTokensName = "added_tokens.json";
    private const string TokenizerName = "tokenizer.json";

    /// <summary>The token limit that it names; <see langword="null"/> when it names none or one that means "none".</summary>
    public static int? TokenLimit(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return null;
        }
        using JsonDocument json = JsonFile.Open(path);
        if (JsonFile.Optional(json.RootElement, "model_max_length", path) is not { } value)
        {
            return null;
        }
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double limit))
        {
            throw JsonFile.Wrong(value, $"{path}: model_max_length", "a number");
        }
        // transformers writes 1e30 where there is no limit.
        return limit is >= 1 and <= SentenceSettingsJson.LargestTokenCount ? (int)limit : null;
    }

    /// <summary>Refuses what would give other tokens than the reference does with the same folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="tokenizerJson">Content of its <c>tokenizer.json</c>.</param>
    /// <exception cref="NotSupportedException">Long texts lose their beginning, something is added to every text, or there are tokens that <c>tokenizer.json</c> does not have.</exception>
    public static void RefuseUnsupported(string folder, byte[] tokenizerJson)
    {
        string added = Path.Combine(folder, AddedTokensName);
        if (File.Exists(added))
        {
            using JsonDocument tokens = JsonFile.Open(added);
            JsonFile.Require(tokens.RootElement, JsonValueKind.Object, added);
            RefuseOtherTokens(tokens.RootElement.EnumerateObject().Select(token => (JsonFile.Name(token, added), token.Value.GetRawText())), added, tokenizerJson);
        }
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
        {
            return;
        }
        using JsonDocument json = JsonFile.Open(path);
        if (JsonFile.Optional(json.RootElement, "truncation_side", path) is { } side && JsonFile.Text(side, $"{path}: truncation_side") is not "right" and var given)
        {
            throw new NotSupportedException($"'{path}' has truncation_side '{TextInMessage.Of(given)}'; texts over the limit are cut on the right here. Set it to 'right' where only short texts matter.");
        }
        foreach (string key in (string[])["add_bos_token", "add_eos_token"])
        {
            if (JsonFile.Flag(json.RootElement, key, path) == true)
            {
                throw new NotSupportedException($"'{path}' sets '{key}', which adds a token to every text; no token is added here. Use a tokenizer that adds none, as BLOOM's.");
            }
        }
        if (JsonFile.Flag(json.RootElement, "add_prefix_space", path) == true && !AddsPrefixSpace(tokenizerJson))
        {
            throw new NotSupportedException($"'{path}' sets 'add_prefix_space', which puts a space before every text, and '{TokenizerName}' does not. Set it to false, or to true in '{TokenizerName}' too, as the model was trained.");
        }
        if (JsonFile.Optional(json.RootElement, "added_tokens_decoder", path) is { } decoder)
        {
            string where = $"{path}: added_tokens_decoder";
            JsonFile.Require(decoder, JsonValueKind.Object, where);
            RefuseOtherTokens(decoder.EnumerateObject().Select(token => (JsonFile.String(token.Value, "content", where) ?? "", JsonFile.Name(token, where))), where, tokenizerJson);
        }
    }

    // The reference adds such tokens to its tokenizer and cuts them out of every text.
    private static void RefuseOtherTokens(IEnumerable<(string Content, string Id)> tokens, string where, byte[] tokenizerJson)
    {
        using JsonDocument tokenizer = JsonFile.Parse(TokenizerVocabulary.Sections(tokenizerJson, TokenizerName).Rest, TokenizerName);
        var known = new HashSet<(string, string)>();
        if (JsonFile.Optional(tokenizer.RootElement, "added_tokens", TokenizerName) is { ValueKind: JsonValueKind.Array } added)
        {
            known.UnionWith(added.EnumerateArray().Select(token => (JsonFile.String(token, "content", TokenizerName) ?? "", JsonFile.Optional(token, "id", TokenizerName)?.GetRawText() ?? "")));
        }
        if (tokens.FirstOrDefault(token => !known.Contains(token)) is { Content: not null } other)
        {
            throw new NotSupportedException($"'{where}' has the token '{TextInMessage.Of(other.Content)}' with the id {TextInMessage.Of(other.Id)}, which is not among the added tokens of '{TokenizerName}'. Save the fast tokenizer into the folder again, or remove the entry.");
        }
    }

    private static bool AddsPrefixSpace(byte[] tokenizerJson)
    {
        using JsonDocument tokenizer = JsonFile.Parse(TokenizerVocabulary.Sections(tokenizerJson, TokenizerName).Rest, TokenizerName);
        if (JsonFile.Optional(tokenizer.RootElement, "pre_tokenizer", TokenizerName) is not { } step)
        {
            return false;
        }
        IEnumerable<JsonElement> steps = JsonFile.Optional(step, "pretokenizers", TokenizerName) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [step];
        return steps.Any(part => JsonFile.Flag(part, "add_prefix_space", TokenizerName) == true);
    }
}
