namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Rows that wait for a later batch, each in the line of a text of its own that kept it from an earlier one.</summary>
/// <remarks>
/// While a line's text stands in the batch none of its rows can join, so that the whole line is passed over at once: a pass in which most rows share a text takes no longer than another.
/// Rows are known by their places in the order of the pass, and come out by place.
/// </remarks>
internal sealed class WaitingRows
{
    private readonly Dictionary<int, PriorityQueue<int, int>> _lines = [];
    private readonly List<(int Text, int Front)> _passedOver = [];

    // The lines by the places of their first rows. An entry with another place than its line's first row is of the past.
    private readonly PriorityQueue<int, int> _fronts = new();

    /// <summary>Rows that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Lets a row wait.</summary>
    /// <param name="place">The row's place in the order.</param>
    /// <param name="text">One of its texts.</param>
    public void Add(int place, int text)
    {
        if (!_lines.TryGetValue(text, out PriorityQueue<int, int>? line))
        {
            _lines.Add(text, line = new PriorityQueue<int, int>());
        }
        line.Enqueue(place, place);
        if (line.Peek() == place)
        {
            _fronts.Enqueue(text, place);
        }
        Count++;
    }

    /// <summary>Takes out the first row that is not in the line of a text of the batch.</summary>
    /// <param name="texts">Texts of the batch, to which some may be added until <see cref="BeginBatch"/>.</param>
    /// <param name="place">The row's place in the order.</param>
    public bool TryTakeOut(HashSet<int> texts, out int place)
    {
        while (_fronts.TryDequeue(out int text, out int front))
        {
            if (!_lines.TryGetValue(text, out PriorityQueue<int, int>? line) || line.Peek() != front)
            {
                continue;
            }
            if (texts.Contains(text))
            {
                _passedOver.Add((text, front));
                continue;
            }
            place = line.Dequeue();
            if (line.Count == 0)
            {
                _lines.Remove(text);
            }
            else
            {
                _fronts.Enqueue(text, line.Peek());
            }
            Count--;
            return true;
        }
        place = -1;
        return false;
    }

    /// <summary>Begins another batch, in which no text stands.</summary>
    public void BeginBatch()
    {
        foreach ((int text, int front) in _passedOver)
        {
            _fronts.Enqueue(text, front);
        }
        _passedOver.Clear();
    }
}
