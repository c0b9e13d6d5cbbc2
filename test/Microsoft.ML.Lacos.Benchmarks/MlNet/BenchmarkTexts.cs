namespace Microsoft.ML.Lacos.Benchmarks.MlNet;

/// <summary>Short sentences of a few words, no two the same, which the transformer would remember, and no two beginning alike, which would be computed once there.</summary>
internal static class BenchmarkTexts
{
    private static readonly string[] Subjects = ["A woman", "The old man", "Un niño", "Une femme", "Der Hund", "My sister", "La profesora", "Le chat", "Ein Nachbar", "The driver"];
    private static readonly string[] Actions = ["is playing the guitar", "walks along the river", "lee un libro en la cama", "mange une pomme", "wartet auf den Zug", "is cutting vegetables in the kitchen", "canta muy bien", "dort au soleil"];
    private static readonly string[] Ends = ["today", "near the house", "por la tarde", "ce matin", "im Garten", "with two friends", "antes de comer", "after the rain"];

    /// <summary>Makes sentences.</summary>
    /// <param name="count">How many.</param>
    /// <param name="set">Sentences of different sets differ too.</param>
    public static string[] Make(int count, int set) =>
        [.. Enumerable.Range(0, count).Select(i => $"{(i * 7919) % 99991}.{set}: {Subjects[i % 10]} {Actions[i / 10 % 8]} {Ends[i / 80 % 8]}.")];
}
