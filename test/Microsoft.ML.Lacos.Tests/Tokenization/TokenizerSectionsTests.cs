using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Where the long lists of a tokenizer.json lie, and what is read from them.</summary>
[TestClass]
public sealed class TokenizerSectionsTests
{
    [TestMethod]
    [DataRow("""{"model":{"vocab":{"a":0},"merges":["a b"]}}""", """{"a":0}""", """["a b"]""", """{"model":{"vocab":{},"merges":[]}}""")]
    [DataRow("""{"model":{"merges": [ ["a","b"] ] ,"vocab" : { } }, "x": 1}""", "{ }", """[ ["a","b"] ]""", """{"model":{"merges": [] ,"vocab" : {} }, "x": 1}""")]
    [DataRow("""{"m\u006fdel":{"voc\u0061b":{"a":0}}}""", """{"a":0}""", "", """{"m\u006fdel":{"voc\u0061b":{}}}""")]
    [DataRow("""{"x":{"vocab":{"a":0}},"y":[{"model":{"vocab":{"b":1}}}]}""", "", "", """{"x":{"vocab":{"a":0}},"y":[{"model":{"vocab":{"b":1}}}]}""")]
    [DataRow("""{"model":{"vocab":{"a":0},"vocab":{"b":1}}}""", """{"b":1}""", "", """{"model":{"vocab":{},"vocab":{}}}""")]
    [DataRow("""{"model":{"vocab":{"a":0},"vocab":[]}}""", "", "", """{"model":{"vocab":{},"vocab":[]}}""")]
    [DataRow("""{"model":{"merges":[{"a":0,"a":1}]}}""", "", """[{"a":0,"a":1}]""", """{"model":{"merges":[{"a":0,"a":1}]}}""")]
    [DataRow("""{"model":3,"vocab":{"a":0}}""", "", "", """{"model":3,"vocab":{"a":0}}""")]
    public void TheListsAreFoundAndCutOut(string json, string vocabulary, string merges, string rest)
    {
        TokenizerSections sections = TokenizerSections.Find(Encoding.UTF8.GetBytes(json));
        Assert.AreEqual(vocabulary, Encoding.UTF8.GetString(sections.Vocabulary));
        Assert.AreEqual(merges, Encoding.UTF8.GetString(sections.Merges));
        Assert.AreEqual(rest, Encoding.UTF8.GetString(sections.Rest));
    }

    [TestMethod]
    [DataRow("""{"model":{"vocab":{"a":0}""")]
    [DataRow("""{"model":{"vocab":{"a" 0}}}""")]
    [DataRow("""{"model":{"merges":[1,]}}""")]
    [DataRow("""{"model":{}} x""")]
    [DataRow("")]
    public void WhatIsNoJsonIsRefused(string json) => Assert.Throws<JsonException>(() => _ = TokenizerSections.Find(Encoding.UTF8.GetBytes(json)).Rest);

    [TestMethod]
    public void EscapedSpellingsAreTheTokensThemselves()
    {
        string plain = TokenizerFiles.Small(["a b", "ab c", "Ġ a"]).ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        string escaped = plain.Replace("Ġ", "\\u0120", StringComparison.Ordinal).Replace("ab", "\\u0061b", StringComparison.Ordinal);
        Assert.AreNotEqual(plain, escaped);
        CollectionAssert.AreEqual(
            BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(plain)).EncodeToIds("abc a abc!").ToArray(),
            BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(escaped)).EncodeToIds("abc a abc!").ToArray());
    }

    [TestMethod]
    public void PairsInListsAreTheMergesThatTextsAre()
    {
        string texts = TokenizerFiles.Small(["a b", "ab c"]).ToJsonString();
        string lists = texts.Replace("\"a b\"", "[\"a\",\"b\"]", StringComparison.Ordinal).Replace("\"ab c\"", "[\"ab\", \"c\"]", StringComparison.Ordinal);
        Assert.AreNotEqual(texts, lists);
        CollectionAssert.AreEqual(
            BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(texts)).EncodeToIds("abcab").ToArray(), BloomTokenizer.FromJson(Encoding.UTF8.GetBytes(lists)).EncodeToIds("abcab").ToArray());
    }

    [TestMethod]
    public void AFileThatIsNotUtf8IsRefused()
    {
        byte[] json = Encoding.Latin1.GetBytes("""{"model":{"vocab":{"é":0},"merges":[]}}""");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => BloomTokenizer.FromJson(json)).Message, "not UTF-8");
    }
}
