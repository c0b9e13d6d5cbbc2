using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization.Reference;

/// <summary>Files of every kind that is accepted.</summary>
internal sealed class RandomTokenizerFiles(int seed)
{
    private static readonly string[] Patterns = [BloomPieceSplitter.DeclaredPattern, BloomPieceSplitter.FlatPattern, Gpt2PieceSplitter.DeclaredPattern, Gpt2PieceSplitter.GatheredPattern];
    private static readonly string[] Contents =
    [
        "<x>", "<s>", " x", "ab", "a", "\u00e9", "e\u0301", "\u212b", "\u00c5", "\u7684", "\n", "<x> ", "\u0120", "  ", " ", "'s", "\U0001F642", "<", "<x><x>", "x>", "\u0301", "1", "!", "\u0958", "\u0915\u093c",
        "\u00a0", ".", "\ufffd", "\0",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A file, and the spellings of its added tokens.</summary>
    public (JsonObject File, string[] Tokens) Next()
    {
        JsonObject file = Bytes(_random.Next(4) == 0 ? value => _random.Next(12) != 0 : static _ => true, _random.Next(3) == 0 ? 0 : 400);
        JsonObject byteLevel = ByteLevel(Flag(), Flag());
        file["pre_tokenizer"] = _random.Next(4) switch
        {
            0 => byteLevel,
            1 => new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(byteLevel) },
            _ => Split(Patterns[_random.Next(Patterns.Length)], Flag()),
        };
        file["normalizer"] = _random.Next(4) switch
        {
            0 => new JsonObject { ["type"] = "NFC" },
            1 => new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "NFC" }) },
            _ => null,
        };
        file["post_processor"] = Flag() ? ByteLevel(Flag(), Flag()) : null;
        return (file, AddTokens(file));
    }

    /// <summary>A file with symbols of the bytes and some merges, without a pre-tokenizer.</summary>
    public JsonObject Bytes(Func<int, bool> hasByte, int merges)
    {
        List<string> tokens = [.. Enumerable.Range(0, 256).Where(hasByte).Select(static value => ByteLevelAlphabet.ToCharacter((byte)value).ToString())];
        string[] common = [.. tokens.Where(static symbol => "aeinrst\u0120'1".Contains(symbol, StringComparison.Ordinal) || symbol[0] > '\u00df')];
        var list = new JsonArray();
        bool pairs = Flag();
        for (; merges > 0; merges--)
        {
            // The first tokens of several bytes are made of common symbols, later ones also of each other.
            string left = _random.Next(3) == 0 ? tokens[_random.Next(tokens.Count)] : common[_random.Next(common.Length)];
            string right = _random.Next(3) == 0 ? tokens[_random.Next(tokens.Count)] : common[_random.Next(common.Length)];
            if (!tokens.Contains(left + right))
            {
                tokens.Add(left + right);
            }
            list.Add(pairs ? new JsonArray(left, right) : (JsonNode)$"{left} {right}");
        }
        var vocabulary = new JsonObject();
        foreach (string token in tokens)
        {
            vocabulary[token] = vocabulary.Count;
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["decoder"] = ByteLevel(prefix: true, pattern: true),
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = list },
        };
    }

    public static JsonObject Split(string pattern, bool prefix) => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray(
            new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false },
            ByteLevel(prefix, pattern: false)),
    };

    public static JsonObject ByteLevel(bool prefix, bool pattern) =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = prefix, ["trim_offsets"] = true, ["use_regex"] = pattern };

    public static JsonObject Token(string content, int id, bool special = false, bool normalized = false, bool singleWord = false, bool left = false, bool right = false) =>
        new() { ["id"] = id, ["content"] = content, ["special"] = special, ["normalized"] = normalized, ["single_word"] = singleWord, ["lstrip"] = left, ["rstrip"] = right };

    private string[] AddTokens(JsonObject file)
    {
        JsonObject vocabulary = file["model"]!["vocab"]!.AsObject();
        int next = vocabulary.Count;
        string[] contents = [.. Enumerable.Range(0, _random.Next(6)).Select(_ => Contents[_random.Next(Contents.Length)]).Distinct()];
        foreach (string content in contents)
        {
            bool known = vocabulary.TryGetPropertyValue(content, out JsonNode? id);
            bool left = _random.Next(3) == 0;
            // The reference ends the process where a token of white space alone looks to the left only, in white space that another has swallowed.
            bool right = _random.Next(3) == 0 || (left && string.IsNullOrWhiteSpace(content));
            file["added_tokens"]!.AsArray().Add(Token(content, known ? id!.GetValue<int>() : next++, Flag(), Flag(), _random.Next(3) == 0, left, right));
        }
        return contents;
    }

    private bool Flag() => _random.Next(2) == 0;
}
