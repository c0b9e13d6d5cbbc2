namespace Microsoft.ML.Lacos.Tests.Sentences;

[TestClass]
public sealed class TokenBatchTests
{
    [TestMethod]
    public void EverySequenceIsInOneBatchAndNoBatchOfSeveralExceedsTheBudget()
    {
        int[] lengths = [3, 0, 50, 7, 7, 12, 1, 9, 100, 2];
        TokenSequence[] sequences = [.. lengths.Select((length, row) => new TokenSequence([.. Enumerable.Repeat(row, length)], row, 0, length))];
        TokenBatch[] batches = [.. TokenBatch.Plan(sequences, 20)];
        CollectionAssert.AreEquivalent(Enumerable.Range(0, lengths.Length).ToArray(), batches.SelectMany(batch => batch.Sequences).Select(sequence => sequence.Row).ToArray());
        foreach (TokenBatch batch in batches)
        {
            Assert.AreEqual(batch.Ids.Length, batch.Offsets[^1]);
            Assert.IsTrue(batch.Sequences.Count == 1 || batch.Ids.Length <= 20);
        }
    }

    [TestMethod]
    public void SharedTokensDoNotCountAndEverySequenceCountsOne()
    {
        TokenSequence[] alike = [.. Enumerable.Range(0, 7).Select(row => new TokenSequence([1, 2, 3, 4, 5, row], row, 0, 6))];
        CollectionAssert.AreEqual(new[] { 5, 2 }, TokenBatch.Plan(alike, 10).Select(batch => batch.Sequences.Count).ToArray());
        TokenSequence[] equal = [.. Enumerable.Range(0, 12).Select(row => new TokenSequence([7, 8], row, 0, 2))];
        CollectionAssert.AreEqual(new[] { 9, 3 }, TokenBatch.Plan(equal, 10).Select(batch => batch.Sequences.Count).ToArray());
    }

    [TestMethod]
    public void SequencesThatBeginAlikeFollowOneAnother()
    {
        int[][] ids = [[5, 1], [2, 7, 7], [5], [2, 7], [2, 8, 1, 1], [5, 1], [], [2, 7, 7, 3]];
        TokenSequence[] sequences = [.. ids.Select((row, index) => new TokenSequence(row, index, 0, row.Length))];
        TokenBatch batch = TokenBatch.Plan(sequences, 100).Single();
        CollectionAssert.AreEqual(new[] { 6, 3, 1, 7, 4, 2, 0, 5 }, batch.Sequences.Select(sequence => sequence.Row).ToArray());
    }
}
