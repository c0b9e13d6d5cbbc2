using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization.Reference;

/// <summary>Ids are those of Hugging Face tokenizers itself.</summary>
[TestClass]
public sealed class ReferenceTokenizerTests
{
    private const int PointsInAText = 128;

    [TestMethod]
    public void RandomTextsHaveTheReferencesIdsUnderEveryKindOfFile()
    {
        var files = new RandomTokenizerFiles(20261);
        for (int round = 0; round < 80; round++)
        {
            (JsonObject file, string[] tokens) = files.Next();
            using var both = new ReferenceTokenizer(file);
            var texts = new RandomTexts(round, tokens);
            for (int turn = 0; turn < 50; turn++)
            {
                both.AssertSame(texts.Next());
            }
        }
    }

    [TestMethod]
    public void RandomTextsHaveTheReferencesIdsUnderTheTrainedVocabulary()
    {
        using var both = new ReferenceTokenizer(JsonNode.Parse(File.ReadAllBytes(TestData.Shared("data", "tokenizer", "tokenizer.json")))!);
        var texts = new RandomTexts(20262, ["<unk>", "<s>", "</s>", "<pad>"]);
        for (int turn = 0; turn < 2000; turn++)
        {
            both.AssertSame(texts.Next());
        }
    }

    [TestMethod]
    [DataRow(BloomPieceSplitter.DeclaredPattern)]
    [DataRow(Gpt2PieceSplitter.DeclaredPattern)]
    // A space before every piece shows in the ids where pieces begin.
    public void EveryCodePointIsSplitAsByTheReference(string pattern)
    {
        JsonObject file = new RandomTokenizerFiles(1).Bytes(static _ => true, 0);
        file["pre_tokenizer"] = RandomTokenizerFiles.Split(pattern, prefix: true);
        AssertEveryCodePoint(file, static point => $"a{point}1{point}! {point}");
    }

    [TestMethod]
    public void EveryCodePointTouchesTokensAsInTheReference()
    {
        JsonObject file = new RandomTokenizerFiles(1).Bytes(static _ => true, 0);
        file["pre_tokenizer"] = RandomTokenizerFiles.ByteLevel(prefix: false, pattern: false);
        file["added_tokens"] = new JsonArray(RandomTokenizerFiles.Token("<w>", 256, singleWord: true), RandomTokenizerFiles.Token("<s>", 257, left: true, right: true));
        AssertEveryCodePoint(file, static point => $".<w>{point}<w>!{point}<s>{point}");
    }

    [TestMethod]
    public void EveryCodePointIsNormalizedAsByTheReference()
    {
        JsonObject file = new RandomTokenizerFiles(1).Bytes(static _ => true, 0);
        file["pre_tokenizer"] = RandomTokenizerFiles.ByteLevel(prefix: false, pattern: false);
        file["normalizer"] = new JsonObject { ["type"] = "NFC" };
        AssertEveryCodePoint(file, static point => $"a\u0327\u0301{point}\u0316\u0301e{point}");
    }

    private static void AssertEveryCodePoint(JsonObject file, Func<Rune, string> context)
    {
        using var both = new ReferenceTokenizer(file);
        // Without the planes of ideographs alone and those of which nothing is assigned.
        IEnumerable<Rune> points = Enumerable.Range(0, 0x20400).Concat(Enumerable.Range(0xE0000, 0x400)).Where(Rune.IsValid).Select(static point => new Rune(point));
        foreach (Rune[] some in points.Chunk(PointsInAText))
        {
            both.AssertSame(string.Concat(some.Select(context)));
        }
    }
}
