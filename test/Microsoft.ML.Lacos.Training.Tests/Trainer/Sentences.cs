namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Small training and validation data, made of words by rule.</summary>
internal static class Sentences
{
    private static readonly string[] Nouns = ["cat", "dog", "river", "teacher", "engine", "violin", "bread", "window"];
    private static readonly string[] Verbs = ["sleeps", "sings", "breaks", "waits", "shines", "falls"];

    public sealed class Pair
    {
        public string Sentence1 { get; set; } = "";

        public string Sentence2 { get; set; } = "";

        public string Negative { get; set; } = "";

        public float Label { get; set; }
    }

    public static List<Pair> Pairs(int count) => [.. Enumerable.Range(0, count).Select(i => new Pair
    {
        Sentence1 = $"The {Nouns[i % 8]} {Verbs[i % 6]} {i}.",
        Sentence2 = $"A {Nouns[i % 8]} that {Verbs[i % 6]}, number {i}.",
        Negative = $"No {Nouns[(i + 3) % 8]} here {i}.",
        Label = i % 5 / 4f,
    })];

    public static IDataView Data(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Pairs(count));

    /// <summary>Options of a run of few and short steps on the embedded default model.</summary>
    public static LacosBloomTrainer.Options Quick(int steps) => new() { Steps = steps, BatchSize = 4, MiniBatchSize = 4, LoraRank = 2, LearningRate = 1e-3 };
}
