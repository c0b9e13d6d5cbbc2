using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class LongTextErrorTests
{
    private static readonly LacosModel Model = LacosModel.LoadDefault();

    [TestMethod]
    public void OfManyTextsTooLongTheFirstIsNamedAtAnyThreadCount()
    {
        // Another thread begins further on and fails there at once, before the first has come to row 900 over texts that take their time.
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { MaximumTokenCount = 1000, LongText = LongText.Throw, ThreadCount = 4 });
        string fits = string.Concat(Enumerable.Repeat("x ", 400));
        string tooLong = string.Concat(Enumerable.Repeat("x ", 1100));
        string[] texts = [.. Enumerable.Range(0, 4096).Select(row => row is 900 or >= 1024 ? $"{row} is a row of {tooLong}" : fits)];
        for (int round = 0; round < 5; round++)
        {
            ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode(texts, new float[texts.Length * encoder.Dimension], []));
            StringAssert.Contains(error.Message, "900 is a row");
        }
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(200)]
    public void ACancelledCallIsCancelledWhateverItsTexts(int count)
    {
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { MaximumTokenCount = 3, LongText = LongText.Throw });
        string[] texts = [.. Enumerable.Repeat("a row of more than three tokens", count)];
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsExactly<OperationCanceledException>(() => encoder.Encode(texts, new float[texts.Length * encoder.Dimension], [], cancelled.Token));
    }

    [TestMethod]
    public void AnErrorBehindTheEarliestIsNotTried()
    {
        var failure = new EarliestFailure();
        int tried = 0;
        failure.Watch(7, () => throw new InvalidOperationException("seven"));
        failure.Watch(9, () => tried++);
        failure.Watch(5, () => throw new ArgumentException("five"));
        failure.Watch(4, () => tried++);
        Assert.AreEqual(1, tried);
        Assert.AreEqual("five", Assert.ThrowsExactly<ArgumentException>(failure.Throw).Message);
    }
}
