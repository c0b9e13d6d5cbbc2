using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos;

namespace Study;

internal sealed class ScoredPair
{
    [LoadColumn(0)]
    public float Label { get; set; }

    [LoadColumn(1)]
    public string Sentence1 { get; set; } = "";

    [LoadColumn(2)]
    public string Sentence2 { get; set; } = "";
}

/// <summary>Cosine Spearman x 100 on each test set, in the order of <see cref="Files"/>.</summary>
internal static class Judge
{
    public static IEnumerable<string> Files(Settings settings) =>
        settings.Languages.Select(language => $"stsb-{language}-test").Concat(["sts12-en-unseen", "sts13-en-unseen", "sts14-en-unseen"])
            .Select(name => Path.Combine(settings.Shared, "data", "sts", $"{name}.tsv"));

    public static double[] Score(MLContext ml, Settings settings, SentenceEmbeddingTransformer embedder) =>
        [.. Files(settings).Select(file => ml.Data.LoadFromTextFile<ScoredPair>(file, hasHeader: true)).Select(data => 100 * ml.Regression.EvaluateSentenceSimilarity(embedder.Transform(data)).CosineSpearman)];
}
