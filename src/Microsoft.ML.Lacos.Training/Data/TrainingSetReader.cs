using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Reads the columns of training pairs into memory.</summary>
internal static class TrainingSetReader
{
    private const int RowsBetweenChecks = 1024;

    /// <summary>Reads all rows.</summary>
    /// <param name="data">The data; its columns have been checked.</param>
    /// <param name="sentences">Columns of sentences, in the order of the loss.</param>
    /// <param name="labelColumn">Label column; null where the loss needs none.</param>
    /// <param name="loss">What the labels must suit.</param>
    /// <param name="kind">What kind of label it needs.</param>
    /// <param name="texts">Keeps the texts.</param>
    /// <param name="cancellationToken">Checked now and then.</param>
    /// <exception cref="InvalidDataException">A text is empty, a label unfit, or there are fewer than two rows.</exception>
    public static TrainingSet Read(
        IDataView data, IReadOnlyList<string> sentences, string? labelColumn, TrainingLoss loss, LossLabel kind, TextInterner texts, CancellationToken cancellationToken)
    {
        DataViewSchema.Column? label = labelColumn is null || kind == LossLabel.None ? null : data.Schema[labelColumn];
        DataViewSchema.Column[] columns = [.. sentences.Select(name => data.Schema[name])];
        using DataViewRowCursor cursor = data.GetRowCursor(label is null ? columns : [.. columns, label.Value]);
        ValueGetter<ReadOnlyMemory<char>>[] getters = [.. columns.Select(column => cursor.GetGetter<ReadOnlyMemory<char>>(column))];
        Func<double>? readLabel = label is null ? null : TrainingLabels.Reader(cursor, label.Value, kind);
        List<int>[] numbers = [.. columns.Select(_ => new List<int>())];
        var labels = new List<double>();
        ReadOnlyMemory<char> text = default;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (row % RowsBetweenChecks == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            for (int column = 0; column < getters.Length; column++)
            {
                getters[column](ref text);
                if (text.Span.IsWhiteSpace())
                {
                    throw new InvalidDataException($"Row {row} (from 0) has an empty text ('{text}') in column '{sentences[column]}', from which nothing can be learned. Leave the row out, for example with Data.FilterByCustomPredicate.");
                }
                numbers[column].Add(texts.NumberOf(text.ToString()));
            }
            if (readLabel is not null)
            {
                double value = readLabel();
                TrainingLabels.Check(value, loss, row, labelColumn!);
                labels.Add(value);
            }
        }
        if (numbers[0].Count < 2)
        {
            throw new InvalidDataException($"The training data has {numbers[0].Count} row(s); at least 2 pairs are needed. Look at what was loaded and filtered.");
        }
        int classes = kind == LossLabel.Class ? Math.Max(TrainingLabels.KeyCount(label!.Value), (int)labels.Max() + 1) : 0;
        if (kind == LossLabel.Class && classes < 2)
        {
            throw new InvalidDataException($"All labels in column '{labelColumn}' are of one class; the loss {loss} needs at least 2. Name another label column or loss.");
        }
        return new TrainingSet([.. numbers.Select(column => column.ToArray())], texts.Tokens, readLabel is null ? null : [.. labels], classes, texts.LongTexts);
    }
}
