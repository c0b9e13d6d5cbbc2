using Microsoft.ML.Lacos.Evaluation;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Scored pairs on which an adapter is judged, as it would be used: merged into the model and run by the model's own encoder.</summary>
internal sealed class ValidationSet
{
    private readonly string?[] _texts;
    private readonly double[] _labels;

    public ValidationSet(string?[] texts, double[] labels) => (_texts, _labels) = (texts, labels);

    /// <summary>Reads the pairs.</summary>
    /// <exception cref="InvalidDataException">Fewer than two pairs have a score, or all scores are equal.</exception>
    public static ValidationSet Read(IDataView data, string first, string second, string label)
    {
        DataViewSchema.Column[] columns = [data.Schema[first], data.Schema[second], data.Schema[label]];
        using DataViewRowCursor cursor = data.GetRowCursor(columns);
        ValueGetter<ReadOnlyMemory<char>> left = cursor.GetGetter<ReadOnlyMemory<char>>(columns[0]);
        ValueGetter<ReadOnlyMemory<char>> right = cursor.GetGetter<ReadOnlyMemory<char>>(columns[1]);
        Func<double> readLabel = LabelColumn.Reader(cursor, columns[2]);
        var texts = new List<string?>();
        var labels = new List<double>();
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            double score = readLabel();
            if (double.IsNaN(score))
            {
                continue;
            }
            left(ref text);
            texts.Add(text.ToString());
            right(ref text);
            texts.Add(text.ToString());
            labels.Add(score);
        }
        return labels.Distinct().Count() > 1
            ? new ValidationSet([.. texts], [.. labels])
            : throw new InvalidDataException($"The validation data has {labels.Count} scored pair(s) with {labels.Distinct().Count()} different score(s) in column '{label}'; at least two different ones are needed for a correlation.");
    }

    /// <summary>Cosine Spearman of a model with an adapter.</summary>
    public double Spearman(LacosModel model, PeftAdapter adapter, SentenceEncoderOptions options, CancellationToken cancellationToken)
    {
        using LacosModel merged = model.WithAdapter(adapter);
        using SentenceEncoder encoder = SentenceEncoder.Create(merged, options);
        var vectors = new float[checked(_texts.Length * encoder.Dimension)];
        encoder.Encode(_texts, vectors, [], cancellationToken);
        var scores = new SimilarityScores();
        for (int i = 0; i < _labels.Length; i++)
        {
            scores.Add<float>(_labels[i], vectors.AsSpan(2 * i * encoder.Dimension, encoder.Dimension), vectors.AsSpan(((2 * i) + 1) * encoder.Dimension, encoder.Dimension));
        }
        return scores.ToMetrics().CosineSpearman;
    }
}
