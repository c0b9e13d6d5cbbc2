using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Lacos.Tokenization;

internal static partial class TokenizerJson
{
    // The largest vocabularies in use are below 300,000. Tables are sized by the largest id, so it must not be the file that decides how much is allocated.
    private const int IdLimit = 1 << 22;

    // Every character of an added token may take a hundred bytes of the table in which they are looked up; real files have a few thousand together.
    private const int MostAddedCharacters = 1 << 20;

    private static void CheckModel(JsonElement model)
    {
        // Files of the first years name no type; a vocabulary object with merges is BPE.
        if (Member(model, "type", JsonValueKind.String)?.GetString() is { } type && type != "BPE")
        {
            throw Unsupported($"a model of type '{Shorten(type)}'", "Only 'BPE' is");
        }
        if (Member(model, "dropout", JsonValueKind.Number)?.GetDouble() is { } dropout && dropout != 0)
        {
            throw Unsupported(string.Create(CultureInfo.InvariantCulture, $"a dropout of {dropout}, which makes token ids random"), "Only no dropout is");
        }
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (Member(model, affix, JsonValueKind.String)?.GetString() is { Length: > 0 } value)
            {
                throw Unsupported($"'{affix}' = '{Shorten(value)}'", "Only an empty one is");
            }
        }
        if (Flag(model, "ignore_merges"))
        {
            throw Unsupported("'ignore_merges' = true", "Only false is");
        }
    }

    private static int ReadId(JsonElement value, string token) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id is >= 0 and < IdLimit ? id : throw InvalidId(token, value.GetRawText());

    private static InvalidDataException InvalidId(string token, string id) =>
        Invalid($"gives the token '{Shorten(token)}' the id {Shorten(id)}, where a whole number from 0 to {IdLimit - 1} is needed");

    private static void CheckUnknown(JsonElement model, TokenVocabulary vocabulary)
    {
        string? unknown = Member(model, "unk_token", JsonValueKind.String)?.GetString();
        bool fallback = Flag(model, "byte_fallback");
        if (unknown is null && !fallback)
        {
            return;
        }
        for (int value = 0; value <= byte.MaxValue; value++)
        {
            if (vocabulary.FindByte((byte)value) < 0)
            {
                throw Unsupported(unknown is null ? "'byte_fallback'" : $"the unknown token '{Shorten(unknown)}'", $"With a vocabulary that lacks the symbol of byte {value}, only no unknown token is");
            }
        }
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement? list, TokenVocabulary vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (list is null)
        {
            return tokens;
        }
        var owners = new Dictionary<int, string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        int highest = -1;
        int characters = 0;
        foreach (JsonElement entry in list.Value.EnumerateArray())
        {
            Require(entry, JsonValueKind.Object, "an added token");
            string content = Text(entry, "content");
            int id = ReadId(entry.TryGetProperty("id", out JsonElement value) ? value : throw Invalid($"has the added token '{Shorten(content)}' without 'id'"), content);
            if (content.Length == 0 || !seen.Add(content))
            {
                throw Invalid($"has the added token '{Shorten(content)}' (id {id}) empty or twice");
            }
            characters += content.Length;
            if (characters > MostAddedCharacters)
            {
                throw Invalid($"has added tokens of more than {MostAddedCharacters} characters together, at '{Shorten(content)}' (id {id})");
            }
            int known = vocabulary.Find(content);
            string? owner = vocabulary.HasId(id) ? vocabulary.Text(id) : owners.GetValueOrDefault(id);
            if ((known >= 0 && known != id) || (owner is not null && owner != content))
            {
                throw Invalid($"gives the added token '{Shorten(content)}' the id {id}, which does not agree with its vocabulary");
            }
            int next = Math.Max(vocabulary.Count, highest + 1);
            if (known < 0 && id != next)
            {
                throw Invalid($"gives the added token '{Shorten(content)}' the id {id}, where Hugging Face tokenizers gives it {next}, the next that is free");
            }
            highest = Math.Max(highest, id);
            owners[id] = content;
            bool special = Flag(entry, "special");
            tokens.Add(new AddedToken(content, id, special, Flag(entry, "normalized", !special), Flag(entry, "single_word"), Flag(entry, "lstrip"), Flag(entry, "rstrip")));
        }
        return tokens;
    }
}
