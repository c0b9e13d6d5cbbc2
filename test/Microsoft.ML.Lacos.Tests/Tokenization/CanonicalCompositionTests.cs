using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Tests.Tokenization;

/// <summary>Normalisation form C, whatever the globalisation mode of the process.</summary>
[TestClass]
public sealed class CanonicalCompositionTests
{
    [TestMethod]
    [DataRow("plain text", "plain text")]
    [DataRow("e\u0301", "\u00E9")]
    [DataRow("\u0301e", "\u0301e")]
    [DataRow("\u212B", "\u00C5")]
    [DataRow("\u0958", "\u0915\u093C")]
    [DataRow("\u1100\u1161\u11A8", "\uAC01")]
    [DataRow("\uAC00\u11A8", "\uAC01")]
    [DataRow("\uAC00\u11A7", "\uAC00\u11A7")]
    [DataRow("q\u0307\u0323", "q\u0323\u0307")]
    [DataRow("d\u0307\u0323", "\u1E0D\u0307")]
    [DataRow("\u1E0B\u0323", "\u1E0D\u0307")]
    [DataRow("a\u0315\u0300\u05AE\u0062", "\u00E0\u05AE\u0315b")]
    [DataRow("\u09C7\u09BE", "\u09CB")]
    [DataRow("\U0001D15E", "\U0001D157\U0001D165")]
    [DataRow("\U00011099\U000110BA", "\U0001109A")]
    [DataRow("\U0002F800x", "\u4E3Dx")]
    [DataRow("a\u0308\u0304", "\u01DF")]
    [DataRow("\u01D5", "\u01D5")]
    [DataRow("U\u0308\u0304", "\u01D5")]
    [DataRow("e\u0301\u0301", "\u00E9\u0301")]
    // Of later versions than the reference's 9.0: a mark of class 230 that moves nothing, one of class 232, and a pair that does not compose.
    [DataRow("a\u07FD\u0316", "a\u07FD\u0316")]
    [DataRow("a\u1DF6\u0316", "a\u1DF6\u0316")]
    [DataRow("a\u1DF5\u0316", "a\u0316\u1DF5")]
    [DataRow("\U00011935\U00011930", "\U00011935\U00011930")]
    public void TextIsBroughtIntoFormC(string text, string expected)
    {
        string actual = CanonicalComposition.Normalize(text).ToString();
        Assert.AreEqual(expected, actual);
        Assert.AreEqual(expected, CanonicalComposition.Normalize(expected).ToString());
    }

    [TestMethod]
    public void AllHangulSyllablesSurviveDecompositionAndComposition()
    {
        for (int syllable = 0xAC00; syllable < 0xD7A4; syllable++)
        {
            var jamo = new List<int>();
            Assert.IsTrue(Hangul.TryDecompose(syllable, jamo));
            Assert.AreEqual(((char)syllable).ToString(), CanonicalComposition.Normalize(string.Concat(jamo.Select(static point => (char)point))).ToString());
        }
    }
}
