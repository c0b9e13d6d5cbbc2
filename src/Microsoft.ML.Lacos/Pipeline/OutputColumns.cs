using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Evaluation;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What a column added by the transformer holds.</summary>
internal enum OutputKind
{
    /// <summary>The vector of a text.</summary>
    Vector,

    /// <summary>The tokens of a text.</summary>
    TokenCount,

    /// <summary>The cosine of the first two texts' vectors.</summary>
    Score,
}

/// <summary>A column added by the transformer.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Name">Its name.</param>
/// <param name="Source">Which of the text columns it is made of, by position in the options; a score is made of 0 and 1.</param>
internal readonly record struct OutputColumn(OutputKind Kind, string Name, int Source)
{
    /// <summary>Whether the column needs the text of a source.</summary>
    public bool Needs(int source) => Source == source || (Kind == OutputKind.Score && source == 1);

    /// <summary>The columns that options ask for, in their order in the schema: each text's vector and count, then the score.</summary>
    public static OutputColumn[] Of(SentenceEmbeddingEstimator.Options options)
    {
        var outputs = new List<OutputColumn>();
        for (int source = 0; source < options.Columns.Count; source++)
        {
            SentenceEmbeddingEstimator.ColumnOptions column = options.Columns[source];
            outputs.Add(new OutputColumn(OutputKind.Vector, column.OutputColumnName, source));
            if (column.TokenCountColumnName is string tokenCount)
            {
                outputs.Add(new OutputColumn(OutputKind.TokenCount, tokenCount, source));
            }
        }
        if (options.ScoreColumnName is string score)
        {
            outputs.Add(new OutputColumn(OutputKind.Score, score, 0));
        }
        return [.. outputs];
    }
}

/// <summary>Names of the annotations of a vector column.</summary>
internal static class AnnotationNames
{
    public const string SlotNames = "SlotNames";
    public const string IsNormalized = "IsNormalized";
    public const string Fingerprint = ModelFingerprint.AnnotationKind;
}

/// <summary>The added columns as an estimator announces them, before there is a model.</summary>
internal static class OutputShape
{
    public static IEnumerable<SchemaShape.Column> Columns(SentenceEmbeddingEstimator.Options options)
    {
        foreach (OutputColumn output in OutputColumn.Of(options))
        {
            yield return output.Kind switch
            {
                OutputKind.TokenCount => new SchemaShape.Column(output.Name, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Int32, false),
                OutputKind.Score => new SchemaShape.Column(output.Name, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, false),
                _ => new SchemaShape.Column(output.Name, SchemaShape.Column.VectorKind.Vector, VectorFormat.ItemTypeOf(options.Precision), false, Annotations(options)),
            };
        }
    }

    private static SchemaShape Annotations(SentenceEmbeddingEstimator.Options options)
    {
        List<SchemaShape.Column> annotations =
        [
            new(AnnotationNames.SlotNames, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false),
            new(AnnotationNames.Fingerprint, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, false),
        ];
        if (options.Normalize && options.Precision == EmbeddingPrecision.Float32)
        {
            annotations.Add(new(AnnotationNames.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false));
        }
        return new SchemaShape(annotations);
    }
}
