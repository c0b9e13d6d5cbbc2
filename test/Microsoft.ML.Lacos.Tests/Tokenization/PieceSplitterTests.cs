using System.Text.RegularExpressions;
using CsCheck;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>The scanners cut where the patterns they stand for match.</summary>
[TestClass]
public sealed class PieceSplitterTests
{
    private const string Bloom = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+|(?:(?! [^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)])[(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)])+";
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Char["ab 'stremvld(|).,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c\t\n\r\v\u00a0\u2003\u200b\u180e1²٣é中[]\0"], Gen.Char[" a1.\n"], Gen.Char['\0', '\uD7FF']).Array[0, 40].Select(static characters => new string(characters));

    [TestMethod]
    public void BloomScannerCutsLikeTheEquivalentPattern() => AssertCutsLike(new BloomPieceSplitter(), new Regex(Bloom, RegexOptions.CultureInvariant));

    [TestMethod]
    public void Gpt2ScannerCutsLikeItsPatternInTheBasicPlane() => AssertCutsLike(new Gpt2PieceSplitter(), new Regex(Gpt2PieceSplitter.DeclaredPattern, RegexOptions.CultureInvariant));

    [TestMethod]
    public void BloomScannerTreatsEveryCodeUnitLikeTheEquivalentPattern()
    {
        var pattern = new Regex(Bloom, RegexOptions.CultureInvariant);
        var splitter = new BloomPieceSplitter();
        for (int unit = 0; unit < 0xD800; unit++)
        {
            string text = $"a{(char)unit} {(char)unit}b";
            CollectionAssert.AreEqual(pattern.Matches(text).Select(static match => match.Value).ToArray(), Cut(splitter, text), $"U+{unit:X4}");
        }
    }

    [TestMethod]
    public void Gpt2ScannerKeepsLettersBeyondTheBasicPlaneWithTheirWord() =>
        CollectionAssert.AreEqual(new[] { "x\U0001D400y", " \U00010330", "\U0001F600", "\U0001D7D8" }, Cut(new Gpt2PieceSplitter(), "x\U0001D400y \U00010330\U0001F600\U0001D7D8"));

    private static void AssertCutsLike(PieceSplitter splitter, Regex pattern) =>
        Texts.Sample(text => Cut(splitter, text).SequenceEqual(pattern.Matches(text).Select(static match => match.Value)), iter: 20000);

    private static string[] Cut(PieceSplitter splitter, string text)
    {
        var pieces = new List<string>();
        for (int at = 0; at < text.Length;)
        {
            int length = splitter.NextLength(text.AsSpan(at));
            pieces.Add(text.Substring(at, length));
            at += length;
        }
        return [.. pieces];
    }
}
