using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Reads labels and two columns of vectors in one pass.</summary>
internal static class SentenceSimilarityEvaluator
{
    public static SentenceSimilarityMetrics Evaluate(IDataView data, string labelColumnName, string embedding1ColumnName, string embedding2ColumnName)
    {
        DataViewSchema.Column label = Find(data.Schema, labelColumnName, "label");
        DataViewSchema.Column first = Find(data.Schema, embedding1ColumnName, "first embedding");
        DataViewSchema.Column second = Find(data.Schema, embedding2ColumnName, "second embedding");
        ModelFingerprint.CheckSame(first, second);

        using DataViewRowCursor cursor = data.GetRowCursor([label, first, second]);
        Func<double> readLabel = LabelColumn.Reader(cursor, label);
        VectorColumn readFirst = VectorColumn.Reader(cursor, first);
        VectorColumn readSecond = VectorColumn.Reader(cursor, second);
        CheckSameSize(first, second);
        var scores = new SimilarityScores();
        while (cursor.MoveNext())
        {
            try
            {
                scores.Add(readLabel(), readFirst.Read(), readSecond.Read());
            }
            catch (Exception error) when (error is InvalidDataException or ArgumentException)
            {
                string row = cursor.Position.ToString(CultureInfo.InvariantCulture);
                throw new InvalidDataException($"Row {row} (counted from 0) of columns '{label.Name}', '{first.Name}', '{second.Name}' cannot be evaluated. {error.Message}", error);
            }
        }
        return scores.ToMetrics();
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string role)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, $"{role} column");
        return schema.GetColumnOrNull(name)
            ?? throw new ArgumentException($"Could not find the {role} column '{name}'. The data has {string.Join(", ", schema.Select(column => $"'{column.Name}'"))}: name one of them.");
    }

    private static void CheckSameSize(DataViewSchema.Column first, DataViewSchema.Column second)
    {
        var firstType = (VectorDataViewType)first.Type;
        var secondType = (VectorDataViewType)second.Type;
        if (firstType.IsKnownSize && secondType.IsKnownSize && firstType.Size != secondType.Size)
        {
            throw new ArgumentException($"Columns '{first.Name}' ({first.Type}) and '{second.Name}' ({second.Type}) differ in length. Encode both with the same model, Dimension and Precision.");
        }
        if (firstType.ItemType.RawType != secondType.ItemType.RawType)
        {
            throw new ArgumentException($"Columns '{first.Name}' ({first.Type}) and '{second.Name}' ({second.Type}) differ in precision. Encode both with the same Precision.");
        }
    }
}
