namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class TokenBatchTests
{
    [TestMethod]
    public void EverySequenceIsInOneBatchAndNoBatchOfSeveralExceedsTheBudget()
    {
        int[] lengths = [3, 0, 50, 7, 7, 12, 1, 9, 100, 2];
        TokenSequence[] sequences = [.. lengths.Select((length, row) => new TokenSequence(new int[length], row, 0, length))];
        TokenBatch[] batches = [.. TokenBatch.Plan(sequences, 20)];
        CollectionAssert.AreEquivalent(Enumerable.Range(0, lengths.Length).ToArray(), batches.SelectMany(batch => batch.Sequences).Select(sequence => sequence.Row).ToArray());
        foreach (TokenBatch batch in batches)
        {
            Assert.AreEqual(batch.Ids.Length, batch.Offsets[^1]);
            Assert.IsTrue(batch.Sequences.Count == 1 || batch.Ids.Length <= 20);
        }
    }
}
