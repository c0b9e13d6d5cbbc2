using System.Text.Json;

namespace Microsoft.ML.Lacos.Tokenization;

internal static partial class TokenizerJson
{
    // The largest vocabularies in use are below 300,000. Tables are sized by the largest id, so it must not be the file that decides how much is allocated.
    private const int IdLimit = 1 << 22;

    private static void CheckModel(JsonElement model)
    {
        // Files of the first years name no type; a vocabulary object with merges is BPE.
        if (Member(model, "type", JsonValueKind.String)?.GetString() is { } type && type != "BPE")
        {
            throw Unsupported($"a model of type '{Shorten(type)}'", "Only 'BPE' is");
        }
        if (Member(model, "dropout", JsonValueKind.Number)?.GetDouble() is { } dropout && dropout != 0)
        {
            throw Unsupported($"a dropout of {dropout}, which makes token ids random", "Only no dropout is");
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

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocab)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var owners = new Dictionary<int, string>();
        foreach (JsonProperty entry in vocab.EnumerateObject())
        {
            int id = ReadId(entry.Value, entry.Name);
            if (!vocabulary.TryAdd(entry.Name, id))
            {
                throw Invalid($"has the token '{Shorten(entry.Name)}' twice in its vocabulary");
            }
            if (!owners.TryAdd(id, entry.Name))
            {
                throw Invalid($"gives the id {id} to both '{Shorten(owners[id])}' and '{Shorten(entry.Name)}'");
            }
        }
        return vocabulary.Count > 0 ? vocabulary : throw Invalid("has an empty vocabulary");
    }

    private static int ReadId(JsonElement value, string token) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id is >= 0 and < IdLimit
            ? id
            : throw Invalid($"gives the token '{Shorten(token)}' the id {Shorten(value.GetRawText())}, where a whole number from 0 to {IdLimit - 1} is needed");

    private static List<(string Left, string Right)> ReadMerges(JsonElement list, Dictionary<string, int> vocabulary)
    {
        // A pair named twice has the later place, as in the reference.
        var places = new Dictionary<(string, string), int>();
        var merges = new List<(string Left, string Right)?>(list.GetArrayLength());
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.String && entry.GetString()!.StartsWith("#version", StringComparison.Ordinal))
            {
                continue;
            }
            (string Left, string Right) pair = ReadPair(entry);
            foreach (string token in (string[])[pair.Left, pair.Right, pair.Left + pair.Right])
            {
                if (!vocabulary.ContainsKey(token))
                {
                    throw Invalid($"has the merge '{Shorten(pair.Left)}' + '{Shorten(pair.Right)}', but '{Shorten(token)}' is not in its vocabulary");
                }
            }
            if (places.TryGetValue(pair, out int earlier))
            {
                merges[earlier] = null;
            }
            places[pair] = merges.Count;
            merges.Add(pair);
        }
        return [.. merges.Where(static pair => pair is not null).Select(static pair => pair!.Value)];
    }

    private static (string Left, string Right) ReadPair(JsonElement entry)
    {
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2 && entry.EnumerateArray().All(static side => side.ValueKind == JsonValueKind.String))
        {
            return NotEmpty(entry[0].GetString()!, entry[1].GetString()!, entry);
        }
        string[] sides = entry.ValueKind == JsonValueKind.String ? entry.GetString()!.Split(' ') : [];
        return sides.Length == 2 ? NotEmpty(sides[0], sides[1], entry) : throw InvalidMerge(entry);
    }

    private static (string Left, string Right) NotEmpty(string left, string right, JsonElement entry) =>
        left.Length > 0 && right.Length > 0 ? (left, right) : throw InvalidMerge(entry);

    private static InvalidDataException InvalidMerge(JsonElement entry) =>
        Invalid($"has the merge {Shorten(entry.GetRawText())}, where 'left right' or [\"left\", \"right\"] is needed");

    private static void CheckUnknown(JsonElement model, Dictionary<string, int> vocabulary)
    {
        string? unknown = Member(model, "unk_token", JsonValueKind.String)?.GetString();
        bool fallback = Flag(model, "byte_fallback");
        if (unknown is null && !fallback)
        {
            return;
        }
        for (int value = 0; value <= byte.MaxValue; value++)
        {
            if (!vocabulary.ContainsKey(ByteLevelAlphabet.ToCharacter((byte)value).ToString()))
            {
                throw Unsupported(unknown is null ? "'byte_fallback'" : $"the unknown token '{Shorten(unknown)}'", $"With a vocabulary that lacks the symbol of byte {value}, only no unknown token is");
            }
        }
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement? list, Dictionary<string, int> vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (list is null)
        {
            return tokens;
        }
        Dictionary<int, string> owners = vocabulary.ToDictionary(static entry => entry.Value, static entry => entry.Key);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement entry in list.Value.EnumerateArray())
        {
            Require(entry, JsonValueKind.Object, "an added token");
            string content = Text(entry, "content");
            int id = ReadId(entry.TryGetProperty("id", out JsonElement value) ? value : throw Invalid($"has the added token '{Shorten(content)}' without 'id'"), content);
            if (content.Length == 0 || !seen.Add(content))
            {
                throw Invalid($"has the added token '{Shorten(content)}' (id {id}) empty or twice");
            }
            if ((vocabulary.TryGetValue(content, out int known) && known != id) || (owners.TryGetValue(id, out string? owner) && owner != content))
            {
                throw Invalid($"gives the added token '{Shorten(content)}' the id {id}, which does not agree with its vocabulary");
            }
            owners[id] = content;
            bool special = Flag(entry, "special");
            tokens.Add(new AddedToken(content, id, special, Flag(entry, "normalized", !special), Flag(entry, "single_word"), Flag(entry, "lstrip"), Flag(entry, "rstrip")));
        }
        return tokens;
    }
}
