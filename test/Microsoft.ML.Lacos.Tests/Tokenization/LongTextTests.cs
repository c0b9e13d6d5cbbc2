using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Texts of 10 MB and texts that are not valid UTF-16.</summary>
[TestClass]
public sealed class LongTextTests
{
    private const int TenMegabytes = 10_000_000;
    private const int Limit = 256;

    [TestMethod]
    [DataRow("one letter")]
    [DataRow("random letters")]
    [DataRow("Chinese")]
    [DataRow("spaces")]
    [DataRow("starts of special tokens")]
    [DataRow("unpaired surrogates")]
    public void TenMegabytesAreCutToTheLimitBeforeTheyCostTime(string kind)
    {
        string text = Text(kind, TenMegabytes);
        BloomTokenizer tokenizer = TokenizerFiles.Bloom30k;
        tokenizer.CountTokens("warm");
        var ids = new List<int>();
        var clock = Stopwatch.StartNew();
        int count = tokenizer.Encode(text, Limit, ids);
        clock.Stop();
        Assert.HasCount(Limit, ids);
        Assert.AreEqual(Limit + 1, count);
        Assert.IsLessThan(20.0, clock.Elapsed.TotalSeconds, "A merge of the whole text, not a slow machine: it takes hundredths of a second.");
    }

    [TestMethod]
    [DataRow("one letter")]
    [DataRow("random letters")]
    [DataRow("Chinese")]
    [DataRow("words run together")]
    public void CuttingAGiantPieceLeavesTheFirstIdsAsTheyAre(string kind)
    {
        // Long enough for a cut at a limit of 1 and 100, short enough to merge whole.
        string text = Text(kind, 60_000);
        IReadOnlyList<int> all = TokenizerFiles.Bloom30k.EncodeToIds(text);
        foreach (int limit in (int[])[0, 1, 100, 600])
        {
            var ids = new List<int>();
            Assert.AreEqual(limit + 1, TokenizerFiles.Bloom30k.Encode(text, limit, ids));
            CollectionAssert.AreEqual(all.Take(limit).ToArray(), ids, $"limit {limit}");
        }
    }

    [TestMethod]
    public void AMillionLettersWithoutASpaceAreTokenizedWhole()
    {
        string text = Text("random letters", 1_000_000);
        IReadOnlyList<int> ids = TokenizerFiles.Bloom30k.EncodeToIds(text);
        Assert.AreEqual(text, TokenizerFiles.Bloom30k.Decode(ids));
    }

    [TestMethod]
    public void AGiantPieceOfBytesWithoutSymbolsHasNoTokens()
    {
        BloomTokenizer tokenizer = TokenizerFiles.Load(TokenizerFiles.Small());
        var ids = new List<int>();
        Assert.AreEqual(1, tokenizer.Encode(new string('z', 1_000_000) + "a", Limit, ids));
        CollectionAssert.AreEqual(tokenizer.EncodeToIds("a").ToArray(), ids);
    }

    [TestMethod]
    [DataRow(@"a\uD800b", "a\uFFFDb")]
    [DataRow(@"\uDC00", "\uFFFD")]
    [DataRow(@"\uD83D", "\uFFFD")]
    [DataRow(@"\uD83D\uD83D\uDE00", "\uFFFD\U0001F600")]
    [DataRow(@"x\uDE00\uD83D y\uD800", "x\uFFFD\uFFFD y\uFFFD")]
    public void AnUnpairedSurrogateIsEncodedAsTheReplacementCharacter(string escaped, string valid)
    {
        // Escaped, because the compiler stores an attribute's text as UTF-8, which has no unpaired surrogates.
        string invalid = Regex.Unescape(escaped);
        CollectionAssert.AreEqual(TokenizerFiles.Bloom30k.EncodeToIds(valid).ToArray(), TokenizerFiles.Bloom30k.EncodeToIds(invalid).ToArray());
        Assert.AreEqual(valid, TokenizerFiles.Bloom30k.Decode(TokenizerFiles.Bloom30k.EncodeToIds(invalid)));
    }

    [TestMethod]
    public void AnEmptyTextHasNoTokens()
    {
        Assert.IsEmpty(TokenizerFiles.Bloom30k.EncodeToIds(""));
        Assert.AreEqual(0, TokenizerFiles.Bloom30k.Encode("", Limit, []));
    }

    private static string Text(string kind, int bytes)
    {
        var random = new Random(3);
        return kind switch
        {
            "one letter" => new string('a', bytes),
            "random letters" => string.Create(bytes, random, static (span, random) => Fill(span, random, 'a', 26)),
            "Chinese" => string.Create(bytes / 3, random, static (span, random) => Fill(span, random, '\u4e00', 3000)),
            "spaces" => new string(' ', bytes),
            "starts of special tokens" => new string('<', bytes),
            "unpaired surrogates" => new string('\uD800', bytes / 3),
            _ => string.Concat(Enumerable.Repeat("theQuickBrownFoxJumpsOverTheLazyDogUndDerFuchsLéveilléतेज़", (bytes / 60) + 1)),
        };
    }

    private static void Fill(Span<char> span, Random random, char first, int count)
    {
        foreach (ref char character in span)
        {
            character = (char)(first + random.Next(count));
        }
    }
}
