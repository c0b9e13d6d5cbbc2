namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>How well the similarity of two sentence vectors agrees with people's judgement of the two sentences.</summary>
/// <remarks>
/// <para>
/// Eight correlations between labels and scores, each in [-1, 1] (multiply by 100 for the figures usually published). Pearson's correlation asks for a straight line,
/// Spearman's only for the same order; equal values share the mean of their ranks. <see cref="CosineSpearman"/> is the figure of the STS benchmarks.
/// </para>
/// <para>
/// Undefined is <see cref="double.NaN"/>: fewer than two pairs, or labels or scores that are all equal. All arithmetic is in double.
/// </para>
/// </remarks>
public sealed class SentenceSimilarityMetrics
{
    internal SentenceSimilarityMetrics(SimilarityScores scores)
    {
        CosinePearson = Correlation.Pearson(scores.Labels, scores.Cosine);
        DotPearson = Correlation.Pearson(scores.Labels, scores.Dot);
        EuclideanPearson = Correlation.Pearson(scores.Labels, scores.Euclidean);
        ManhattanPearson = Correlation.Pearson(scores.Labels, scores.Manhattan);

        // The labels are ranked once for all four.
        double[] labelRanks = Correlation.AverageRanks(scores.Labels);
        CosineSpearman = Correlation.Pearson(labelRanks, Correlation.AverageRanks(scores.Cosine));
        DotSpearman = Correlation.Pearson(labelRanks, Correlation.AverageRanks(scores.Dot));
        EuclideanSpearman = Correlation.Pearson(labelRanks, Correlation.AverageRanks(scores.Euclidean));
        ManhattanSpearman = Correlation.Pearson(labelRanks, Correlation.AverageRanks(scores.Manhattan));
        Count = scores.Count;
        MissingLabelCount = scores.MissingLabelCount;
    }

    /// <summary>Pearson's correlation of label and cosine. The cosine with a zero vector counts as 0.</summary>
    public double CosinePearson { get; }

    /// <summary>Spearman's correlation of label and cosine: the figure of the STS benchmarks.</summary>
    public double CosineSpearman { get; }

    /// <summary>Pearson's correlation of label and dot product.</summary>
    public double DotPearson { get; }

    /// <summary>Spearman's correlation of label and dot product.</summary>
    public double DotSpearman { get; }

    /// <summary>Pearson's correlation of label and negative Euclidean distance.</summary>
    public double EuclideanPearson { get; }

    /// <summary>Spearman's correlation of label and negative Euclidean distance.</summary>
    public double EuclideanSpearman { get; }

    /// <summary>Pearson's correlation of label and negative Manhattan distance.</summary>
    public double ManhattanPearson { get; }

    /// <summary>Spearman's correlation of label and negative Manhattan distance.</summary>
    public double ManhattanSpearman { get; }

    /// <summary>Pairs with a label: those the correlations are of.</summary>
    public long Count { get; }

    /// <summary>Pairs left out because their label is missing (NaN), as ML.NET's own evaluators leave them out.</summary>
    public long MissingLabelCount { get; }
}
