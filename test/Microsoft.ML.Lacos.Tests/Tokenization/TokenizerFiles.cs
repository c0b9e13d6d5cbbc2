using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Tokenizers and texts the tests share.</summary>
internal static class TokenizerFiles
{
    public const string BloomPattern = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+";

    private static readonly Lazy<BloomTokenizer> Trained30k = new(static () => BloomTokenizer.FromJson(File.ReadAllBytes(TestData.Shared("data", "tokenizer", "tokenizer.json"))));

    /// <summary>The 30,000-token vocabulary trained with BLOOM's configuration.</summary>
    public static BloomTokenizer Bloom30k => Trained30k.Value;

    public static byte[] Gunzip(string path)
    {
        using var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        packed.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>A small tokenizer.json with BLOOM's steps, to be changed by a test.</summary>
    public static JsonObject Small(IEnumerable<string>? merges = null, IReadOnlyDictionary<string, int>? vocabulary = null)
    {
        var vocab = new JsonObject();
        string[] mergeList = merges?.ToArray() ?? ["a b", "ab c", "Ġ a"];
        if (vocabulary is null)
        {
            string[] tokens = [.. "abcdeĠ!".Select(static c => c.ToString()).Concat(mergeList.Select(static merge => merge.Replace(" ", "", StringComparison.Ordinal))).Distinct()];
            for (int id = 0; id < tokens.Length; id++)
            {
                vocab[tokens[id]] = id;
            }
        }
        else
        {
            foreach ((string token, int id) in vocabulary)
            {
                vocab[token] = id;
            }
        }
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = BloomPattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocab, ["merges"] = new JsonArray([.. mergeList.Select(static merge => (JsonNode)merge)]) },
        };
    }

    public static JsonObject AddedToken(string content, int id) => new() { ["id"] = id, ["content"] = content, ["special"] = true, ["normalized"] = false };

    public static BloomTokenizer Load(JsonNode json) => BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
