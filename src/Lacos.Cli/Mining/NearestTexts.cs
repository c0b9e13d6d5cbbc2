namespace Lacos.Cli.Mining;

/// <summary>The best of the candidates offered so far: by score, and the earlier one where scores are equal.</summary>
internal sealed class NearestTexts(int capacity)
{
    private readonly (float Score, int Index)[] _heap = new (float, int)[capacity];
    private int _count;

    /// <summary>Candidates below this score have no chance.</summary>
    public float Threshold => _count < _heap.Length ? float.NegativeInfinity : _heap[0].Score;

    /// <summary>Offers a candidate.</summary>
    public void Offer(float score, int index)
    {
        if (_count < _heap.Length)
        {
            _heap[_count++] = (score, index);
            Rise();
        }
        else if (IsWorse(_heap[0], (score, index)))
        {
            _heap[0] = (score, index);
            Sink();
        }
    }

    /// <summary>The best ones, the best first.</summary>
    public (float Score, int Index)[] Ranked()
    {
        (float Score, int Index)[] ranked = _heap[.._count];
        Array.Sort(ranked, (one, other) => IsWorse(other, one) ? -1 : IsWorse(one, other) ? 1 : 0);
        return ranked;
    }

    // The root is the worst kept.
    private static bool IsWorse((float Score, int Index) one, (float Score, int Index) other) => one.Score < other.Score || (one.Score == other.Score && one.Index > other.Index);

    private void Rise()
    {
        for (int child = _count - 1; child > 0;)
        {
            int parent = (child - 1) / 2;
            if (!IsWorse(_heap[child], _heap[parent]))
            {
                return;
            }
            (_heap[child], _heap[parent]) = (_heap[parent], _heap[child]);
            child = parent;
        }
    }

    private void Sink()
    {
        for (int parent = 0; ;)
        {
            int child = (2 * parent) + 1;
            if (child >= _count)
            {
                return;
            }
            child += child + 1 < _count && IsWorse(_heap[child + 1], _heap[child]) ? 1 : 0;
            if (!IsWorse(_heap[child], _heap[parent]))
            {
                return;
            }
            (_heap[child], _heap[parent]) = (_heap[parent], _heap[child]);
            parent = child;
        }
    }
}
