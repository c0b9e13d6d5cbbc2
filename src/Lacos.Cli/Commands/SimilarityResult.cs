using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Evaluation;

namespace Lacos.Cli.Commands;

/// <summary>The metrics of one set.</summary>
/// <param name="Name">Name of the set.</param>
/// <param name="Path">File it was read from.</param>
/// <param name="Metrics">Its metrics.</param>
internal sealed record SimilarityResult(string Name, string Path, SentenceSimilarityMetrics Metrics)
{
    /// <summary>The metrics under snake-case names, not multiplied by 100; undefined is null.</summary>
    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["file"] = Path,
        ["pairs"] = Metrics.Count,
        ["pairs_without_score"] = Metrics.MissingLabelCount,
        ["cosine_pearson"] = Number(Metrics.CosinePearson),
        ["cosine_spearman"] = Number(Metrics.CosineSpearman),
        ["dot_pearson"] = Number(Metrics.DotPearson),
        ["dot_spearman"] = Number(Metrics.DotSpearman),
        ["euclidean_pearson"] = Number(Metrics.EuclideanPearson),
        ["euclidean_spearman"] = Number(Metrics.EuclideanSpearman),
        ["manhattan_pearson"] = Number(Metrics.ManhattanPearson),
        ["manhattan_spearman"] = Number(Metrics.ManhattanSpearman),
    };

    /// <summary>JSON has no NaN.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
