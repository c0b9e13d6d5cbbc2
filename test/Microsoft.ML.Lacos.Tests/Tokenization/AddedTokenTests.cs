using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Added tokens, their flags and the prefix space behave as Hugging Face tokenizers has them.</summary>
[TestClass]
public sealed class AddedTokenTests
{
    // The tokens of the small vocabulary stand before them.
    private const int FirstId = 10;

    [TestMethod]
    [DataRow("a<t>b", "a|<t>|b")]
    [DataRow("<t><t>", "<t>|<t>")]
    [DataRow(" <t> ", "Ġ|<t>|Ġ")]
    [DataRow("a<t", "a")]
    public void PlainTokenIsCutOutOfTheText(string text, string expected) => AssertTokens("", text, expected);

    [TestMethod]
    [DataRow("a  <t> b", "a|<t>|Ġ|b")]
    [DataRow("<t> <t>", "<t>|<t>")]
    public void LeftStripSwallowsTheSpaceBefore(string text, string expected) => AssertTokens("lstrip", text, expected);

    [TestMethod]
    [DataRow("a <t>  b", "a|Ġ|<t>|b")]
    [DataRow("<t> <t>", "<t>|<t>")]
    public void RightStripSwallowsTheSpaceBehind(string text, string expected) => AssertTokens("rstrip", text, expected);

    [TestMethod]
    [DataRow("a<t>b", "ab")]
    [DataRow("a <t> b", "a|Ġ|<t>|Ġ|b")]
    [DataRow("!<t>!", "!|<t>|!")]
    [DataRow("<t>é", "")]
    [DataRow("<t>", "<t>")]
    // The vocabulary has no symbols for the token's own bytes: where it does not count they are dropped, and what is left merges.
    public void SingleWordCountsOnlyWhereNoWordTouchesIt(string text, string expected) => AssertTokens("single_word", text, expected);

    [TestMethod]
    public void TheLongestOfSeveralTokensAtOnePlaceIsTaken()
    {
        JsonObject json = TokenizerFiles.Small();
        json["added_tokens"] = new JsonArray(TokenizerFiles.AddedToken("<", FirstId), TokenizerFiles.AddedToken("<t>", FirstId + 1), TokenizerFiles.AddedToken("<t><t>!", FirstId + 2));
        CollectionAssert.AreEqual(new[] { FirstId + 1, FirstId + 1, FirstId, FirstId + 2 }, TokenizerFiles.Load(json).EncodeToIds("<t><t><<t><t>!").ToArray());
    }

    [TestMethod]
    public void ANormalizedTokenIsFoundInTheNormalizedTextOnly()
    {
        JsonObject json = TokenizerFiles.Small();
        json["normalizer"] = new JsonObject { ["type"] = "NFC" };
        json["added_tokens"] = new JsonArray(new JsonObject { ["id"] = FirstId, ["content"] = "<e\u0301>", ["normalized"] = true }, new JsonObject { ["id"] = FirstId + 1, ["content"] = "[e\u0301]", ["normalized"] = false });
        BloomTokenizer tokenizer = TokenizerFiles.Load(json);
        CollectionAssert.AreEqual(new[] { FirstId, FirstId, FirstId + 1 }, tokenizer.EncodeToIds("<é><e\u0301>[é][e\u0301]").ToArray());
    }

    [TestMethod]
    public void SpecialTokensCanBeLeftOutOfTheDecodedText()
    {
        BloomTokenizer tokenizer = TokenizerFiles.Bloom30k;
        IReadOnlyList<int> ids = tokenizer.EncodeToIds("<s>Hello world</s><pad>");
        Assert.AreEqual("<s>Hello world</s><pad>", tokenizer.Decode(ids));
        Assert.AreEqual("Hello world", tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [TestMethod]
    [DataRow(-1)]
    [DataRow(30_000_000)]
    public void AnIdWithoutATokenCannotBeDecoded(int id)
    {
        ArgumentOutOfRangeException error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => TokenizerFiles.Bloom30k.Decode([id]));
        StringAssert.Contains(error.Message, "No token has this id");
    }

    [TestMethod]
    public void APrefixSpaceIsPutBeforeEveryPieceBehindASplit()
    {
        JsonObject json = TokenizerFiles.Small();
        json["pre_tokenizer"]!["pretokenizers"]![1]!["add_prefix_space"] = true;
        Assert.AreEqual(" a ! b", Decoded(json, "a! b"));
    }

    [TestMethod]
    public void APrefixSpaceIsPutBeforeEveryStretchWithoutASplit()
    {
        JsonObject json = TokenizerFiles.Small();
        json["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true };
        json["added_tokens"] = new JsonArray(TokenizerFiles.AddedToken("<t>", FirstId));
        Assert.AreEqual(" a!<t> b<t> c", Decoded(json, "a!<t>b<t> c"));
    }

    [TestMethod]
    [DataRow("a   b", new[] { 0, 10, 1 })]
    [DataRow("a b  c", new[] { 0, 10, 1, 10, 2 })]
    [DataRow("   ", new[] { 10 })]
    // Ids written down from Hugging Face tokenizers 0.22.2.
    public void ATokenWhoseWhiteSpaceIsSwallowedAlreadyIsDropped(string text, int[] expected)
    {
        JsonObject json = TokenizerFiles.Small();
        json["added_tokens"] = new JsonArray(new JsonObject { ["id"] = FirstId, ["content"] = " ", ["normalized"] = false, ["lstrip"] = true, ["rstrip"] = true });
        CollectionAssert.AreEqual(expected, TokenizerFiles.Load(json).EncodeToIds(text).ToArray());
    }

    [TestMethod]
    [DataRow(false, false, FirstId)]
    [DataRow(false, true, FirstId + 1)]
    [DataRow(true, false, FirstId)]
    [DataRow(true, true, FirstId)]
    // Ids written down from Hugging Face tokenizers 0.22.2.
    public void OfTokensThatNormaliseToOneSpellingTheFirstSpecialOneCounts(bool firstIsSpecial, bool secondIsSpecial, int expected)
    {
        JsonObject json = TokenizerFiles.Small();
        json["normalizer"] = new JsonObject { ["type"] = "NFC" };
        json["added_tokens"] = new JsonArray(
            new JsonObject { ["id"] = FirstId, ["content"] = "\u212B", ["normalized"] = true, ["special"] = firstIsSpecial },
            new JsonObject { ["id"] = FirstId + 1, ["content"] = "\u00C5", ["normalized"] = true, ["special"] = secondIsSpecial });
        CollectionAssert.AreEqual(new[] { 0, expected, 1, expected, 2 }, TokenizerFiles.Load(json).EncodeToIds("a\u212Bb\u00C5c").ToArray());
    }

    private static string Decoded(JsonObject json, string text)
    {
        BloomTokenizer tokenizer = TokenizerFiles.Load(json);
        return tokenizer.Decode(tokenizer.EncodeToIds(text));
    }

    private static void AssertTokens(string flag, string text, string expected)
    {
        JsonObject json = TokenizerFiles.Small(["a b"]);
        JsonObject token = TokenizerFiles.AddedToken("<t>", json["model"]!["vocab"]!.AsObject().Count);
        token[flag.Length == 0 ? "special" : flag] = true;
        json["added_tokens"] = new JsonArray(token);
        BloomTokenizer tokenizer = TokenizerFiles.Load(json);
        string actual = string.Join('|', tokenizer.EncodeToIds(text).Select(id => tokenizer.Decode([id]).Replace(' ', 'Ġ')));
        Assert.AreEqual(expected, actual);
    }
}
