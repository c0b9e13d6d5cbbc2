using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Ids and decoded texts equal those written down by reference libraries.</summary>
[TestClass]
public sealed class PublishedEncodingTests
{
    private const string RealBloomVariable = "LACOS_BLOOM_TOKENIZER";
    private const string RealBloomHash = "3fa39cd4b1500feb205bcce3b9703a4373414cafe4970e0657b413f7ddd2a9d3";

    [TestMethod]
    public void EveryRecordedEncodingOfThe30kVocabularyIsReproducedAndDecoded()
    {
        string[] lines = Encoding.UTF8.GetString(TokenizerFiles.Gunzip(TestData.Shared("data", "golden", "tokenizer_30k_encodings.jsonl.gz"))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.IsGreaterThan(1000, lines.Length);
        foreach (string line in lines)
        {
            AssertCase(TokenizerFiles.Bloom30k, JsonNode.Parse(line)!);
        }
    }

    [TestMethod]
    [DataRow("data", "tokenizer/tokenizer.json")]
    [DataRow("models", "bloom-mini/tokenizer.json")]
    public void SharedTokenizersHaveTheirDeclaredSizes(string folder, string file)
    {
        byte[] json = File.ReadAllBytes(TestData.Shared([folder, .. file.Split('/')]));
        AssertDeclaredSize(json);
    }

    [TestMethod]
    [TestCategory("Golden")]
    public void MergesAsArraysGiveTheSameIdsAsMergesAsStrings()
    {
        JsonNode json = JsonNode.Parse(File.ReadAllBytes(TestData.Golden("sentence_transformers", "mean", "tokenizer.json")))!;
        AssertDeclaredSize(Encoding.UTF8.GetBytes(json.ToJsonString()));
        BloomTokenizer one = TokenizerFiles.Load(json);
        JsonArray merges = json["model"]!["merges"]!.AsArray();
        bool arrays = merges[0] is JsonArray;
        json["model"]!["merges"] = new JsonArray([.. merges.Select(merge => arrays ? (JsonNode)string.Join(' ', merge!.AsArray()) : new JsonArray([.. merge!.GetValue<string>().Split(' ').Select(static side => (JsonNode)side)]))]);
        BloomTokenizer other = TokenizerFiles.Load(json);
        foreach (string text in (string[])["The quick brown fox.", " Les  sanglots longs, des violons\n", "你好，世界。", "नमस्ते दुनिया।", "</s>test</s>"])
        {
            CollectionAssert.AreEqual(one.EncodeToIds(text).ToArray(), other.EncodeToIds(text).ToArray(), text);
            Assert.AreEqual(text, one.Decode(one.EncodeToIds(text)));
        }
    }

    [TestMethod]
    public void MiniVocabulariesWithoutMostByteSymbolsGiveThePublishedIds()
    {
        JsonNode file = JsonNode.Parse(File.ReadAllText(TestData.Shared("data", "golden", "bloom_tokenizer_more.json")))!;
        int cases = 0;
        foreach (JsonNode? mini in file["mini_vocab_runs_offline"]!.AsArray())
        {
            Dictionary<string, int> vocabulary = mini!["vocabulary"]!.Deserialize<Dictionary<string, int>>()!;
            JsonObject json = TokenizerFiles.Small(mini["merges"]!.Deserialize<string[]>()!, vocabulary);
            foreach (string special in vocabulary.Keys.Where(static token => token.Length > 1 && token[0] == '<'))
            {
                json["added_tokens"]!.AsArray().Add(TokenizerFiles.AddedToken(special, vocabulary[special]));
            }
            BloomTokenizer tokenizer = TokenizerFiles.Load(json);
            foreach (JsonNode? one in mini["cases"]!.AsArray())
            {
                string text = one!["text"]!.GetValue<string>();
                int[] expected = one["ids"]!.Deserialize<int[]>()!;
                // One of the published runs packs the text between a start token, an end token and padding.
                string packed = (one["add_start_token"]?.GetValue<bool>() == true ? "<s>" : "") + text + (one["add_end_token"]?.GetValue<bool>() == true ? "</s>" : "");
                int padding = expected.Length - (one["padding_mask"]?.AsArray().Sum(static bit => bit!.GetValue<int>()) ?? expected.Length);
                CollectionAssert.AreEqual(expected[..^padding], tokenizer.EncodeToIds(packed).ToArray(), text);
                cases++;
            }
        }
        Assert.IsGreaterThanOrEqualTo(4, cases);
    }

    [TestMethod]
    public void PublishedCasesOfTheRealBloomTokenizer()
    {
        string? path = Environment.GetEnvironmentVariable(RealBloomVariable);
        if (string.IsNullOrEmpty(path))
        {
            Assert.Inconclusive($"Not run: the 14 MB tokenizer.json of bigscience/bloom is not part of the repository; set {RealBloomVariable} to its path.");
        }
        byte[] json = File.ReadAllBytes(path!);
        Assert.AreEqual(RealBloomHash, Convert.ToHexStringLower(SHA256.HashData(json)), $"The file that {RealBloomVariable} names is not bigscience/bloom's tokenizer.json.");
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(json);
        JsonNode?[] cases = [.. JsonNode.Parse(File.ReadAllText(TestData.Shared("data", "golden", "bloom_tokenizer_cases.json")))!["cases"]!.AsArray(),
            .. JsonNode.Parse(File.ReadAllText(TestData.Shared("data", "golden", "bloom_tokenizer_more.json")))!["real_bloom_tokenizer"]!.AsArray()];
        Assert.HasCount(38, cases);
        foreach (JsonNode? one in cases)
        {
            AssertCase(tokenizer, one!);
        }
    }

    private static void AssertDeclaredSize(byte[] json)
    {
        BloomTokenizer tokenizer = BloomTokenizer.FromJson(json);
        JsonNode file = JsonNode.Parse(json)!;
        HashSet<int> ids = [.. file["model"]!["vocab"]!.AsObject().Select(static entry => entry.Value!.GetValue<int>()), .. file["added_tokens"]!.AsArray().Select(static token => token!["id"]!.GetValue<int>())];
        Assert.AreEqual(ids.Count, tokenizer.VocabularySize);
        Assert.AreEqual(ids.Max(), tokenizer.MaxTokenId);
    }

    private static void AssertCase(BloomTokenizer tokenizer, JsonNode one)
    {
        string text = one["text"]!.GetValue<string>();
        int[] ids = one["ids"]!.Deserialize<int[]>()!;
        CollectionAssert.AreEqual(ids, tokenizer.EncodeToIds(text).ToArray(), text);
        Assert.AreEqual(ids.Length, tokenizer.CountTokens(text), text);
        if (one["decoded"] is { } decoded)
        {
            Assert.AreEqual(decoded.GetValue<string>(), tokenizer.Decode(ids), text);
        }
    }
}
