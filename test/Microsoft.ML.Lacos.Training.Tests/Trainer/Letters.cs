namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Pairs of words for the model of twelve letters.</summary>
internal static class Letters
{
    public static IDataView Data(MLContext ml) => ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Sentences.Pair
    {
        Sentence1 = $"{"abcdefgh"[i]}{"cdefghij"[i]}",
        Sentence2 = $"{"hgfedcba"[i]}{"efghijkl"[i]}{"abcdefgh"[i]}",
    }));
}
