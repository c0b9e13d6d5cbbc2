namespace FewLabels;

/// <summary>A fifth of each class's utterances for testing, the others to draw labels from. The same for every number of labels.</summary>
internal sealed class Split
{
    private readonly LabelledRow[] _pool;

    public Split(List<LabelledRow> rows, int seed)
    {
        var random = new Random(seed);
        var tested = new HashSet<int>();
        foreach (var utterances in rows.DistinctBy(row => row.Utterance).GroupBy(row => row.Label, row => row.Utterance))
        {
            int[] order = [.. utterances];
            random.Shuffle(order);
            tested.UnionWith(order.Take(order.Length < 2 ? 0 : Math.Max(1, order.Length / 5)));
        }
        _pool = [.. rows.Where(row => !tested.Contains(row.Utterance))];
        random.Shuffle(_pool);
        HashSet<string> known = [.. _pool.Select(row => row.Label)];
        Test = [.. rows.Where(row => tested.Contains(row.Utterance) && known.Contains(row.Label))];
    }

    public LabelledRow[] Test { get; }

    /// <summary>The first so many rows of each class; all of a class that has fewer. Fewer labels are a part of more.</summary>
    public LabelledRow[] Train(int labelsPerClass) => [.. _pool.GroupBy(row => row.Label).SelectMany(group => group.Take(labelsPerClass))];
}
