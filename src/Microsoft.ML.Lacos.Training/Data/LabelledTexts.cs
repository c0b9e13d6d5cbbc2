namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Texts under classes, each text once.</summary>
internal sealed class LabelledTexts
{
    private const int RowsBetweenChecks = 1024;

    private LabelledTexts(int[][] members, int unlabelled, int contradictory) =>
        (Members, Unlabelled, Contradictory) = (members, unlabelled, contradictory);

    /// <summary>For each class, in the order in which they first appear, the numbers of its texts.</summary>
    public int[][] Members { get; }

    /// <summary>Rows left out because their label is missing.</summary>
    public int Unlabelled { get; }

    /// <summary>Texts left out because they stand under several classes.</summary>
    public int Contradictory { get; }

    /// <summary>Classes of a single text: they can be told from others, but have no pair of their own.</summary>
    public int Lonely => Members.Count(texts => texts.Length == 1);

    /// <summary>Reads all rows.</summary>
    /// <param name="data">The data; its columns have been checked.</param>
    /// <param name="textColumn">Column of texts.</param>
    /// <param name="labelColumn">Column of classes.</param>
    /// <param name="numberOf">Gives each different text a number.</param>
    /// <param name="isLeftOut">Whether a row (its text, its number from 0) is passed over; null to keep all.</param>
    /// <param name="cancellationToken">Checked now and then.</param>
    /// <param name="setName">What the data is, for messages.</param>
    /// <exception cref="InvalidDataException">A text is empty, there are fewer than two classes, or no class has two different texts.</exception>
    public static LabelledTexts Read(IDataView data, string textColumn, string labelColumn, Func<ReadOnlyMemory<char>, int> numberOf, Func<ReadOnlyMemory<char>, long, bool>? isLeftOut, CancellationToken cancellationToken, string setName = "training data")
    {
        DataViewSchema.Column[] columns = [data.Schema[textColumn], data.Schema[labelColumn]];
        using DataViewRowCursor cursor = data.GetRowCursor(columns);
        ValueGetter<ReadOnlyMemory<char>> readText = cursor.GetGetter<ReadOnlyMemory<char>>(columns[0]);
        Func<string?> readClass = ClassNames.Reader(cursor, columns[1]);
        var classes = new Dictionary<string, int>(StringComparer.Ordinal);
        var classOf = new Dictionary<int, int>();
        var contradictory = new HashSet<int>();
        int unlabelled = 0;
        int passedOver = 0;
        ReadOnlyMemory<char> text = default;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (row % RowsBetweenChecks == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (readClass() is not string name)
            {
                unlabelled++;
                continue;
            }
            readText(ref text);
            if (text.Span.IsWhiteSpace())
            {
                throw new InvalidDataException($"Row {row} (from 0) of the {setName} has an empty text ('{text}') in column '{textColumn}', from which nothing can be learned. Leave the row out, for example with Data.FilterByCustomPredicate.");
            }
            if (isLeftOut is not null && isLeftOut(text, row))
            {
                passedOver++;
                continue;
            }
            int number = numberOf(text);
            classes.TryAdd(name, classes.Count);
            if (!classOf.TryAdd(number, classes[name]) && classOf[number] != classes[name])
            {
                contradictory.Add(number);
            }
        }
        var members = classOf.Where(entry => !contradictory.Contains(entry.Key)).GroupBy(entry => entry.Value, entry => entry.Key).OrderBy(group => group.Key).Select(group => group.Order().ToArray()).ToArray();
        var read = new LabelledTexts(members, unlabelled, contradictory.Count);
        read.Check(textColumn, labelColumn, setName, passedOver);
        return read;
    }

    private void Check(string textColumn, string labelColumn, string setName, int passedOver)
    {
        string[] reasons =
        [
            .. Unlabelled == 0 ? [] : new[] { $"{Unlabelled} row(s) without a label" },
            .. Contradictory == 0 ? [] : new[] { $"{Contradictory} text(s) of several classes" },
            .. passedOver == 0 ? [] : new[] { $"{passedOver} row(s) that stand in the validation set" },
        ];
        string leftOut = reasons.Length == 0 ? "" : $", {string.Join(" and ", reasons)} left out";
        if (Members.Length < 2)
        {
            throw new InvalidDataException($"The labels in column '{labelColumn}' of the {setName} are of {Members.Length} class(es){leftOut}; at least 2 are needed, so that texts can be told apart. Look at what was loaded and filtered.");
        }
        if (Lonely == Members.Length)
        {
            throw new InvalidDataException($"Each of the {Members.Length} classes in column '{labelColumn}' of the {setName} has a single text in column '{textColumn}'{leftOut}; at least one class must have 2 different texts. Add texts, or look whether '{labelColumn}' is the column of classes.");
        }
    }
}
