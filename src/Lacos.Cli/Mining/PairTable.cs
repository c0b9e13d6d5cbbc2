using Lacos.Cli.Input;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Mining;

/// <summary>All rows of a file of pairs, with each distinct text once.</summary>
internal sealed class PairTable
{
    private readonly Dictionary<string, int> _anchorNumbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _textNumbers = new(StringComparer.Ordinal);
    private readonly List<List<int>> _trueTexts = [];

    private PairTable(IReadOnlyList<string> columns) => Columns = columns;

    /// <summary>Names of the columns carried over.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Rows: values of <see cref="Columns"/> and the anchor's number.</summary>
    public List<(string?[] Values, int Anchor, string Place)> Rows { get; } = [];

    /// <summary>Distinct anchors in the order of their first rows.</summary>
    public List<string> Anchors { get; } = [];

    /// <summary>Distinct second texts, the candidates, in the order of their first rows.</summary>
    public List<string> Texts { get; } = [];

    /// <summary>Rows that lack a text and are left out.</summary>
    public int LeftOut { get; private set; }

    /// <summary>Reads a file.</summary>
    /// <param name="records">The file.</param>
    /// <param name="columnNames">Anchor and true text, or <see langword="null"/> for the usual names.</param>
    /// <param name="dropped">Columns that are not carried over, none of them the anchor's or the true text's.</param>
    /// <param name="cancellationToken">Checked row by row.</param>
    /// <exception cref="UsageException">It cannot be told which columns are meant, or one of them is dropped.</exception>
    public static PairTable Read(RecordReader records, string? columnNames, IReadOnlySet<string> dropped, CancellationToken cancellationToken)
    {
        if (columnNames?.Split(',').Length > 2)
        {
            throw new UsageException($"--columns is '{columnNames}'. Give two names with commas between them: anchor, positive.");
        }
        int[] pair = TrainingColumns.Choose(records, columnNames?.Split(',', StringSplitOptions.TrimEntries), group: null, PairNeeds.Sentences).Indices[..2];
        if (pair.Select(column => records.Columns[column]).FirstOrDefault(dropped.Contains) is string taken)
        {
            throw new UsageException($"The column '{RecordReader.InMessage(taken)}' of {records.File.DisplayName} is to hold the negatives, and --columns names it for a text of the pair. Give it another name in the file.");
        }
        int[] carried = [.. Enumerable.Range(0, records.Columns.Count).Where(column => !dropped.Contains(records.Columns[column]))];
        var table = new PairTable([.. carried.Select(column => records.Columns[column])]);
        int anchor = Array.IndexOf(carried, pair[0]);
        int text = Array.IndexOf(carried, pair[1]);
        var values = new string?[carried.Length];
        while (records.Read(carried, values))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (string.IsNullOrWhiteSpace(values[anchor]) || string.IsNullOrWhiteSpace(values[text]))
            {
                table.LeftOut++;
                continue;
            }
            table.Add([.. values], values[anchor]!, values[text]!, records.Place);
        }
        return table;
    }

    /// <summary>An anchor's true texts.</summary>
    public int[] TrueTexts(int anchor) => [.. _trueTexts[anchor]];

    /// <summary>What is no negative of an anchor: its true texts and itself.</summary>
    public HashSet<int> Excluded(int anchor)
    {
        var excluded = new HashSet<int>(_trueTexts[anchor]);
        if (_textNumbers.TryGetValue(Anchors[anchor], out int same))
        {
            excluded.Add(same);
        }
        return excluded;
    }

    private void Add(string?[] values, string anchor, string text, string place)
    {
        int anchorNumber = NumberOf(anchor, _anchorNumbers, Anchors);
        int textNumber = NumberOf(text, _textNumbers, Texts);
        if (anchorNumber == _trueTexts.Count)
        {
            _trueTexts.Add([]);
        }
        _trueTexts[anchorNumber].Add(textNumber);
        Rows.Add((values, anchorNumber, place));
    }

    private static int NumberOf(string text, Dictionary<string, int> numbers, List<string> texts)
    {
        if (!numbers.TryGetValue(text, out int number))
        {
            number = texts.Count;
            numbers.Add(text, number);
            texts.Add(text);
        }
        return number;
    }
}
