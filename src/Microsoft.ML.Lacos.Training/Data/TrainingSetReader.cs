using System.Globalization;
using Microsoft.ML.Lacos.Training.Losses;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Reads the columns of a data set in one pass.</summary>
internal sealed class TrainingSetReader
{
    private const int RowsBetweenChecks = 1024;

    private readonly TextInterner _texts;
    private readonly EvaluationPairs? _evaluated;
    private readonly CancellationToken _cancellationToken;

    /// <param name="texts">Keeps the texts.</param>
    /// <param name="evaluated">Pairs on which the run is judged, to be looked for; null for none.</param>
    /// <param name="cancellationToken">Checked now and then.</param>
    public TrainingSetReader(TextInterner texts, EvaluationPairs? evaluated, CancellationToken cancellationToken) =>
        (_texts, _evaluated, _cancellationToken) = (texts, evaluated, cancellationToken);

    /// <summary>Reads all rows.</summary>
    /// <param name="data">The data; its columns have been checked.</param>
    /// <param name="settings">Its columns and loss.</param>
    /// <param name="dimension">Elements of a vector, which a teacher's must have.</param>
    /// <exception cref="InvalidDataException">A text is empty, a label unfit, or there are fewer than two rows of different sentences.</exception>
    public TrainingSet Read(IDataView data, DatasetSettings settings, int dimension)
    {
        LossLabel kind = Loop.LossOfDataset.LabelOf(settings.Loss);
        DataViewSchema.Column? label = settings.LabelColumn is null ? null : data.Schema[settings.LabelColumn];
        DataViewSchema.Column? balance = settings.BalanceColumn is null ? null : data.Schema[settings.BalanceColumn];
        DataViewSchema.Column[] columns = [.. settings.SentenceColumns.Select(name => data.Schema[name])];
        using DataViewRowCursor cursor = data.GetRowCursor([.. columns, .. label is null ? Array.Empty<DataViewSchema.Column>() : [label.Value], .. balance is null ? Array.Empty<DataViewSchema.Column>() : [balance.Value]]);
        ValueGetter<ReadOnlyMemory<char>>[] getters = [.. columns.Select(cursor.GetGetter<ReadOnlyMemory<char>>)];
        ReadOnlyMemory<char>[] texts = new ReadOnlyMemory<char>[getters.Length];
        List<int>[] numbers = [.. columns.Select(_ => new List<int>())];
        List<int>[] tokens = _texts.HasTwoPrompts ? [.. columns.Select(_ => new List<int>())] : numbers;
        LabelReader? labels = label is null ? null : LabelReader.Of(cursor, label.Value, settings, kind, dimension);
        GroupReader? groups = balance is null ? null : new GroupReader(cursor, balance.Value);
        long leftOut = 0;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (row % RowsBetweenChecks == 0)
            {
                _cancellationToken.ThrowIfCancellationRequested();
            }
            for (int column = 0; column < getters.Length; column++)
            {
                getters[column](ref texts[column]);
                if (texts[column].Span.IsWhiteSpace())
                {
                    throw new InvalidDataException($"Row {row} (from 0) of {settings.Name} has an empty text ('{texts[column]}') in column '{settings.SentenceColumns[column]}', from which nothing can be learned. Leave the row out, for example with Data.FilterByCustomPredicate.");
                }
            }
            if (_evaluated is not null && texts.Length > 1 && _evaluated.Meets(texts[0], texts[1], settings.Name, row))
            {
                leftOut++;
                continue;
            }
            for (int column = 0; column < getters.Length; column++)
            {
                InternedText text = _texts.Intern(texts[column], column);
                numbers[column].Add(text.Number);
                if (tokens != numbers)
                {
                    tokens[column].Add(text.Tokens);
                }
            }
            labels?.Read(row);
            groups?.Read();
        }
        if (Array.TrueForAll(numbers, column => column.TrueForAll(text => text == column[0])))
        {
            int rows = numbers[0].Count;
            string judged = leftOut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" without the {leftOut} that stand in the validation set");
            throw new InvalidDataException($"{settings.Name} has {rows} row(s) to learn from{judged}, {Math.Min(rows, 1)} of them different; at least 2 different ones are needed. Look at what was loaded and filtered.");
        }
        if (kind == LossLabel.Similarity && labels?.Labels is double[] scores && settings.Loss is TrainingLoss.CoSent or TrainingLoss.Angle && Array.TrueForAll(scores, score => score == scores[0]))
        {
            throw new InvalidDataException($"All {scores.Length} labels of {settings.Name} in column '{settings.LabelColumn}' are {scores[0].ToString(CultureInfo.InvariantCulture)}; the loss {settings.Loss} learns from their order. Give pairs of different similarity, or choose MultipleNegativesRanking.");
        }
        int[][] rowsOfTexts = [.. numbers.Select(column => column.ToArray())];
        return new TrainingSet(rowsOfTexts, _texts.Tokens, labels?.Labels, labels?.ClassCount ?? 0)
        {
            TokenColumns = tokens == numbers ? rowsOfTexts : [.. tokens.Select(column => column.ToArray())],
            Vectors = labels?.Vectors,
            Groups = groups?.Groups,
        };
    }

    /// <summary>Numbers the different values of a text column in the order in which they come.</summary>
    private sealed class GroupReader(DataViewRow cursor, DataViewSchema.Column column)
    {
        private readonly ValueGetter<ReadOnlyMemory<char>> _getter = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
        private readonly List<int> _groups = [];
        private ReadOnlyMemory<char> _value;

        public int[] Groups => [.. _groups];

        public void Read()
        {
            _getter(ref _value);
            string value = _value.ToString();
            if (!_numbers.TryGetValue(value, out int number))
            {
                number = _numbers.Count;
                _numbers.Add(value, number);
            }
            _groups.Add(number);
        }
    }
}
