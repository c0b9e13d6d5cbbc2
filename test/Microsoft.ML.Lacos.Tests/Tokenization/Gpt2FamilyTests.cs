using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>GPT-2's split (gpt2) and GPT-2's split behind NFC with added tokens of white space (mpt): ids recorded with other engines.</summary>
[TestClass]
public sealed class Gpt2FamilyTests
{
    [TestMethod]
    [DataRow("gpt2", "small")]
    [DataRow("gpt2", "mixed")]
    [DataRow("gpt2", "utf8")]
    [DataRow("mpt", "small")]
    [DataRow("mpt", "mixed")]
    [DataRow("mpt", "utf8")]
    public void RecordedIdsAreReproduced(string tokenizerName, string inputName)
    {
        BloomTokenizer tokenizer = Load(tokenizerName);
        string input = File.ReadAllText(TestData.Shared("data", "golden", "bpe_engine", $"{inputName}_input.txt"));
        string expected = File.ReadAllText(TestData.Shared("data", "golden", "bpe_engine", $"{inputName}_tokens_{tokenizerName}.txt"));
        // "small" and "mixed" are one text a line, "small" with line breaks written as \n and a space at the end as \s; "utf8" is one text.
        string[] texts = inputName == "utf8" ? [input] : [.. input.Split('\n').Select(line => inputName == "small" ? line.Replace(@"\n", "\n", StringComparison.Ordinal).Replace(@"\s", " ", StringComparison.Ordinal) : line)];
        string[] tokens = inputName == "utf8" ? [expected] : expected.Split('\n');
        Assert.HasCount(tokens.Length, texts);
        for (int line = 0; line < texts.Length; line++)
        {
            int[] ids = [.. tokens[line].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(static id => int.Parse(id, CultureInfo.InvariantCulture))];
            CollectionAssert.AreEqual(ids, tokenizer.EncodeToIds(texts[line]).ToArray(), $"line {line}: {texts[line]}");
        }
    }

    [TestMethod]
    [DataRow("gpt2", "openai-community/gpt2")]
    [DataRow("mpt", "mosaicml/mpt-7b (=gpt-neox)")]
    public void HashOfTheLongTextOfManyScriptsIsReproduced(string tokenizerName, string hashName)
    {
        string expected = JsonNode.Parse(File.ReadAllText(TestData.Shared("data", "golden", "bloom_tokenizer_more.json")))!["hash_of_long_text"]![hashName]!.GetValue<string>();
        IReadOnlyList<int> ids = Load(tokenizerName).EncodeToIds(File.ReadAllText(TestData.Shared("data", "golden", "chktxt.txt")));
        Assert.AreEqual(expected, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"[{string.Join(", ", ids)}]"))));
    }

    [TestMethod]
    public void WhisperIsRefusedBecauseItAddsTokensToEveryText()
    {
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => Load("whisper-large-v3"));
        StringAssert.Contains(error.Message, "TemplateProcessing");
        StringAssert.Contains(error.Message, "adds tokens to every text");
    }

    private static BloomTokenizer Load(string name) => BloomTokenizer.FromJson(TokenizerFiles.Gunzip(TestData.Shared("data", "golden", "bpe_engine", $"{name}.tokenizer.json.gz")));
}
