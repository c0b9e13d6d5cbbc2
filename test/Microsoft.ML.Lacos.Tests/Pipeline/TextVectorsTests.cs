using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class TextVectorsTests
{
    [TestMethod]
    public void ManyTextsAreEncodedInCallsOfBoundedSize()
    {
        const int Dimension = 1 << 16;
        var encoder = new FakeEncoder(Dimension);
        string[] texts = [.. Enumerable.Range(0, 150).Select(i => $"text {i}"), "text 0", "text 149"];
        var results = new EncodedText?[texts.Length];
        new TextVectors(encoder, new VectorMemory(0)).Encode(texts, results, CancellationToken.None);
        Assert.AreEqual(150, encoder.Texts);
        Assert.IsLessThanOrEqualTo(1 << 23, encoder.Batches.Max(batch => batch.Length) * Dimension);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.IsTrue(results[i]!.Vector.AsSpan().SequenceEqual(encoder.Vector(texts[i])), texts[i]);
            Assert.AreEqual(2, results[i]!.TokenCount);
        }
    }
}
