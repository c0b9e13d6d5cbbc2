using System.Text;
using CsCheck;
using Microsoft.ML.Lacos.Tokenization;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>What holds for any text.</summary>
[TestClass]
public sealed class BloomTokenizerPropertyTests
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Char[' ', '~'].Select(static c => new Rune(c)),
        Gen.Char['\u00a0', '\u0fff'].Select(static c => new Rune(c)),
        Gen.Char["aeiou thenr.,!?\n\t"].Select(static c => new Rune(c)),
        Gen.Char['\u4e00', '\u4fff'].Select(static c => new Rune(c)),
        Gen.Int[0x10000, 0x1FFFF].Select(static point => new Rune(point))).Array[0, 60].Select(static runes => string.Concat(runes));

    [TestMethod]
    public void DecodingAnEncodedTextGivesTheTextBack() =>
        Texts.Sample(static text => TokenizerFiles.Bloom30k.Decode(TokenizerFiles.Bloom30k.EncodeToIds(text)) == text, iter: 5000);

    [TestMethod]
    public void IdsUpToALimitAreTheFirstOfAllIds() => Gen.Select(Texts, Gen.Int[0, 70]).Sample(static (text, limit) =>
    {
        IReadOnlyList<int> all = TokenizerFiles.Bloom30k.EncodeToIds(text);
        var some = new List<int> { -7 };
        int count = TokenizerFiles.Bloom30k.Encode(text, limit, some);
        return some.SequenceEqual([-7, .. all.Take(limit)]) && count == Math.Min(all.Count, limit + 1) && TokenizerFiles.Bloom30k.CountTokens(text) == all.Count;
    }, iter: 5000);

    [TestMethod]
    public void MergedPiecesHaveTheLibrarysIds()
    {
        var bpe = (BpeTokenizer)TokenizerFiles.Bloom30k.Tokenizer;
        PieceMerger own = Merger("data", "tokenizer", "tokenizer.json");
        Gen<string> repeats = Gen.Select(Gen.Char["ae=-0"], Gen.Int[1, 300]).Select(static (character, count) => new string(character, count));
        Gen<string> letters = Gen.Char["aeiouthnrsd"].Array[1, 400].Select(static characters => new string(characters));
        Gen.OneOf(Texts, repeats, letters).Sample(text => own.Encode(text).SequenceEqual(bpe.EncodeToIds(text, considerPreTokenization: false, considerNormalization: false)), iter: 5000);
    }

    [TestMethod]
    public void MergesFollowRankThenPositionWhereMergesFormNoHierarchy()
    {
        // A later product may take part in an earlier merge: such lists are never trained, but files may have them.
        string[] merges = ["ab c", "c a", "b c", "a b", "bc a", "ca b", "a a", "aa b", "b b"];
        TokenizerDefinition definition = TokenizerJson.Read(Encoding.UTF8.GetBytes(TokenizerFiles.Small(merges).ToJsonString()));
        BloomTokenizer tokenizer = TokenizerFiles.Load(TokenizerFiles.Small(merges));
        Gen.Char["abc"].Array[1, 200].Select(static characters => new string(characters)).Sample(
            text => tokenizer.EncodeToIds(text).SequenceEqual(MergeStepByStep(definition, text)), iter: 2000);
    }

    [TestMethod]
    public void ManyThreadsGetTheIdsOfOne()
    {
        BloomTokenizer shared = BloomTokenizer.FromJson(File.ReadAllBytes(TestData.Shared("data", "tokenizer", "tokenizer.json")));
        string[] texts = [.. Enumerable.Range(0, 400).Select(static number => $"Satz {number}: {new string((char)('a' + (number % 26)), number)} और {number * 7919} 你好{(char)(0x4e00 + number)}。")];
        int[][] expected = [.. texts.Select(static text => TokenizerFiles.Bloom30k.EncodeToIds(text).ToArray())];
        Parallel.For(0, 8 * texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, turn =>
            CollectionAssert.AreEqual(expected[turn % texts.Length], shared.EncodeToIds(texts[turn % texts.Length]).ToArray()));
    }

    [TestMethod]
    public void TheLibrarysTokenizerOverTheSameVocabularyAgrees() =>
        Texts.Sample(static text => TokenizerFiles.Bloom30k.Tokenizer.EncodeToIds(text).SequenceEqual(TokenizerFiles.Bloom30k.EncodeToIds(text)), iter: 2000);

    private static PieceMerger Merger(params string[] path)
    {
        TokenizerDefinition definition = TokenizerJson.Read(File.ReadAllBytes(TestData.Shared(path)));
        return new PieceMerger([.. Enumerable.Range(0, 256).Select(value => definition.Vocabulary.FindByte((byte)value))], definition.Merges);
    }

    // The definition of byte-pair encoding: the best pair, the leftmost where several are equal, until none is left.
    private static int[] MergeStepByStep(TokenizerDefinition definition, string text)
    {
        List<string> symbols = [.. text.Select(static c => c.ToString())];
        while (true)
        {
            int best = int.MaxValue;
            int at = -1;
            for (int left = 0; left + 1 < symbols.Count; left++)
            {
                if (definition.Merges.TryGet(definition.Vocabulary.Find(symbols[left]), definition.Vocabulary.Find(symbols[left + 1]), out int rank, out _) && rank < best)
                {
                    best = rank;
                    at = left;
                }
            }
            if (at < 0)
            {
                return [.. symbols.Select(symbol => definition.Vocabulary.Find(symbol))];
            }
            symbols[at] += symbols[at + 1];
            symbols.RemoveAt(at + 1);
        }
    }
}
