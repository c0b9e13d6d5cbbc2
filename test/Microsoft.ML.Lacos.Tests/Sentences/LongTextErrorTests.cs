using Microsoft.ML.Lacos.Hub;

namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class LongTextErrorTests
{
    private static readonly LacosModel Model = LacosModel.LoadDefault();

    [TestMethod]
    public void OfManyTextsTooLongTheFirstIsNamedAtAnyThreadCount()
    {
        // The second thread begins in the middle and fails there at once, long before the first has come to row 1500.
        using SentenceEncoder encoder = SentenceEncoder.Create(Model, new SentenceEncoderOptions { MaximumTokenCount = 3, LongText = LongText.Throw, ThreadCount = 4 });
        string[] texts = [.. Enumerable.Range(0, 4096).Select(row => row is 1500 or >= 2048 ? $"{row} is a row of more than three tokens" : "x")];
        for (int round = 0; round < 10; round++)
        {
            ArgumentException error = Assert.ThrowsExactly<ArgumentException>(() => encoder.Encode(texts, new float[texts.Length * encoder.Dimension], []));
            StringAssert.Contains(error.Message, "1500 is a row");
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
