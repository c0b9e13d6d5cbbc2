using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tests.Damage;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>A tokenizer.json that is broken or beyond what is supported is refused with the reason.</summary>
[TestClass]
public sealed class TokenizerJsonTests
{
    [TestMethod]
    [DataRow("", "not valid JSON")]
    [DataRow("{", "not valid JSON")]
    [DataRow("[]", "should be of kind Object")]
    [DataRow("null", "should be of kind Object")]
    [DataRow("{} {}", "not valid JSON")]
    [DataRow("{}", "no 'model'")]
    [DataRow("{\"model\": 3}", "has a Number where 'model'")]
    [DataRow("{\"model\": {\"vocab\": [], \"merges\": []}}", "has a Array where 'vocab'")]
    [DataRow("{\"model\": {\"vocab\": {}, \"merges\": []}}", "empty vocabulary")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}}}", "no 'model.merges'")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": -1}, \"merges\": []}}", "the id -1")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 2147483647}, \"merges\": []}}", "the id 2147483647")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 1e99}, \"merges\": []}}", "the id 1e99")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": \"0\"}, \"merges\": []}}", "the id \"0\"")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []}}", "the id 0 to both 'a' and 'b'")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": []}}", "'a' twice")]
    [DataRow("{\"model\": {\"vocab\": {\"\\ud800\": 0}, \"merges\": []}}", "not valid")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "'b' is not in its vocabulary")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}", "'ab' is not in its vocabulary")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}", "has the merge \"a\"")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}", "has the merge [\"a\"]")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a \"]}}", "has the merge \"a \"")]
    [DataRow("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [7]}}", "has the merge 7")]
    public void BrokenFilesAreRefusedWithWhatIsWrong(string json, string message)
    {
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(json)));
        StringAssert.Contains(error.Message, message);
    }

    [TestMethod]
    [DataRow("model", """{"type":"\u001b[31m","vocab":{"a":0},"merges":[]}""")]
    [DataRow("decoder", """{"type":"\u001b[31m"}""")]
    [DataRow("normalizer", """{"type":"\u001b[31m"}""")]
    public void AMessageIsPrintableWhateverTheFileSays(string member, string value)
    {
        JsonObject json = TokenizerFiles.Small();
        json[member] = JsonNode.Parse(value);
        Refusal.CheckMessage(Assert.ThrowsExactly<NotSupportedException>(() => TokenizerFiles.Load(json)).Message, member);
    }

    [TestMethod]
    public void AddedTokensOfVeryManyCharactersAreRefusedBeforeTheyTakeMuchMemory()
    {
        JsonObject json = TokenizerFiles.Small();
        int first = json["model"]!["vocab"]!.AsObject().Count;
        json["added_tokens"] = new JsonArray([.. Enumerable.Range(0, 11).Select(i => TokenizerFiles.AddedToken($"{i}{new string('x', 100_000)}", first + i))]);
        byte[] bytes = Encoding.UTF8.GetBytes(json.ToJsonString());
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.ThrowsExactly<InvalidDataException>(() => BloomTokenizer.FromJson(bytes)).Message;
        Assert.IsLessThan(16L * bytes.Length, GC.GetAllocatedBytesForCurrentThread() - before);
        StringAssert.Contains(message, "more than 1048576 characters together");
        Refusal.CheckMessage(message, "added_tokens");
        json["added_tokens"]!.AsArray().RemoveAt(10);
        Assert.AreEqual(first + 10, TokenizerFiles.Load(json).VocabularySize);
    }

    [TestMethod]
    public void EveryTruncationOfAFileIsRefused()
    {
        byte[] json = Encoding.UTF8.GetBytes(TokenizerFiles.Small().ToJsonString());
        for (int length = 0; length < json.Length; length++)
        {
            Assert.ThrowsExactly<InvalidDataException>(() => BloomTokenizer.FromJson(json.AsSpan(0, length)));
        }
        Assert.IsGreaterThan(0, BloomTokenizer.FromJson(json).VocabularySize);
    }

    [TestMethod]
    public void DeepNestingIsRefused()
    {
        byte[] json = Encoding.UTF8.GetBytes("{\"model\":" + string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));
        Assert.ThrowsExactly<InvalidDataException>(() => BloomTokenizer.FromJson(json));
    }

    [TestMethod]
    [DataRow("{\"id\": 99999999, \"content\": \"<s>\"}", "id 99999999")]
    [DataRow("{\"id\": 0, \"content\": \"<s>\"}", "does not agree")]
    [DataRow("{\"id\": 5, \"content\": \"a\"}", "does not agree")]
    [DataRow("{\"content\": \"<s>\"}", "without 'id'")]
    [DataRow("{\"id\": 50}", "no 'content'")]
    [DataRow("{\"id\": 50, \"content\": \"\"}", "empty or twice")]
    [DataRow("{\"id\": 10, \"content\": \"<s>\", \"lstrip\": 1}", "'lstrip' should be true or false")]
    [DataRow("{\"id\": 50, \"content\": \"<s>\"}", "the id 50, where Hugging Face tokenizers gives it 10")]
    [DataRow("7", "an added token should be")]
    public void BrokenAddedTokensAreRefused(string token, string message)
    {
        JsonObject json = TokenizerFiles.Small();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse(token));
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => TokenizerFiles.Load(json));
        StringAssert.Contains(error.Message, message);
    }

    [TestMethod]
    public void AddedTokensBehindTheVocabularyHaveTheNextIds()
    {
        JsonObject json = TokenizerFiles.Small();
        json["added_tokens"] = new JsonArray(TokenizerFiles.AddedToken("a", 0), TokenizerFiles.AddedToken("<s>", 10), TokenizerFiles.AddedToken("<t>", 11));
        CollectionAssert.AreEqual(new[] { 11, 10, 0 }, TokenizerFiles.Load(json).EncodeToIds("<t><s>a").ToArray());
        json["added_tokens"]![2]!["id"] = 12;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => TokenizerFiles.Load(json)).Message, "'<t>' the id 12, where Hugging Face tokenizers gives it 11");
    }

    [TestMethod]
    [DataRow("model/type", "\"WordPiece\"", "type 'WordPiece'")]
    [DataRow("model/dropout", "0.1", "dropout of 0.1")]
    [DataRow("model/continuing_subword_prefix", "\"##\"", "'##'")]
    [DataRow("model/end_of_word_suffix", "\"</w>\"", "'</w>'")]
    [DataRow("model/ignore_merges", "true", "ignore_merges")]
    [DataRow("model/byte_fallback", "true", "byte_fallback")]
    [DataRow("model/unk_token", "\"a\"", "unknown token 'a'")]
    [DataRow("normalizer", "{\"type\": \"Lowercase\"}", "'Lowercase'")]
    [DataRow("pre_tokenizer", "null", "pre-tokenizer []")]
    [DataRow("pre_tokenizer", "{\"type\": \"Metaspace\"}", "[Metaspace]")]
    [DataRow("pre_tokenizer/pretokenizers/0/pattern", "{\"Regex\": \"(a+)+$\"}", "(a+)+$")]
    [DataRow("pre_tokenizer/pretokenizers/0/pattern", "{\"String\": \" \"}", "fixed text")]
    [DataRow("pre_tokenizer/pretokenizers/0/behavior", "\"Removed\"", "'Removed'")]
    [DataRow("pre_tokenizer/pretokenizers/0/invert", "true", "invert True")]
    [DataRow("pre_tokenizer/pretokenizers/1/use_regex", "true", "splits again")]
    [DataRow("decoder", "{\"type\": \"WordPiece\"}", "decoder 'WordPiece'")]
    [DataRow("post_processor", "{\"type\": \"BertProcessing\"}", "'BertProcessing'")]
    [DataRow("post_processor", "{\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": {\"id\": \"B\", \"type_id\": 0}}]}", "'TemplateProcessing'")]
    [DataRow("version", "\"2.0\"", "version '2.0'")]
    [DataRow("truncation", "{\"direction\": \"Left\", \"max_length\": 8}", "side 'Left'")]
    public void WhatIsNotSupportedIsRefusedByName(string path, string value, string message)
    {
        JsonObject json = TokenizerFiles.Small();
        string[] steps = path.Split('/');
        JsonNode parent = steps[..^1].Aggregate((JsonNode)json, static (node, step) => node is JsonArray list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : node[step]!);
        parent[steps[^1]] = JsonNode.Parse(value);
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => TokenizerFiles.Load(json));
        StringAssert.Contains(error.Message, message);
    }

    [TestMethod]
    public void TruncationAndPaddingSectionsChangeNothing()
    {
        JsonObject json = TokenizerFiles.Small();
        json["truncation"] = new JsonObject { ["max_length"] = 1, ["direction"] = "Right" };
        json["padding"] = new JsonObject { ["pad_id"] = 3 };
        CollectionAssert.AreEqual(TokenizerFiles.Load(TokenizerFiles.Small()).EncodeToIds("abc ab!").ToArray(), TokenizerFiles.Load(json).EncodeToIds("abc ab!").ToArray());
    }

    [TestMethod]
    public void AMergeNamedTwiceHasTheLaterPlace()
    {
        BloomTokenizer tokenizer = TokenizerFiles.Load(TokenizerFiles.Small(["a b", "b c", "a b"]));

        Assert.AreEqual("bc", tokenizer.Decode([tokenizer.EncodeToIds("abc")[1]]));
    }
}
