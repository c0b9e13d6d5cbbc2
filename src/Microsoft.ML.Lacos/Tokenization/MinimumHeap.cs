namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>A four-ary heap of numbers, smallest first; four children of a node lie in one or two cache lines, which is what counts when there are millions.</summary>
internal sealed class MinimumHeap
{
    private const int Arity = 4;
    private const int InitialCapacity = 16;
    private ulong[] _items;
    private int _count;

    /// <param name="capacity">Numbers to make room for.</param>
    public MinimumHeap(int capacity) => _items = new ulong[Math.Max(InitialCapacity, capacity)];

    /// <summary>Adds a number without regard to order; <see cref="Order"/> must follow.</summary>
    public void AddUnordered(ulong item)
    {
        if (_count == _items.Length)
        {
            Array.Resize(ref _items, checked(2 * _count));
        }
        _items[_count++] = item;
    }

    /// <summary>Brings numbers added without order into place.</summary>
    public void Order() => Array.Sort(_items, 0, _count);

    /// <summary>Adds a number.</summary>
    public void Add(ulong item)
    {
        AddUnordered(item);
        ulong[] items = _items;
        int at = _count - 1;
        while (at > 0)
        {
            int parent = (at - 1) / Arity;
            if (items[parent] <= item)
            {
                break;
            }
            items[at] = items[parent];
            at = parent;
        }
        items[at] = item;
    }

    /// <summary>Takes the smallest number out.</summary>
    public bool TryTake(out ulong smallest)
    {
        if (_count == 0)
        {
            smallest = 0;
            return false;
        }
        ulong[] items = _items;
        smallest = items[0];
        int count = --_count;
        ulong item = items[count];
        int at = 0;
        for (int child = 1; child < count; child = (Arity * at) + 1)
        {
            int best = child;
            int end = Math.Min(child + Arity, count);
            for (int other = child + 1; other < end; other++)
            {
                if (items[other] < items[best])
                {
                    best = other;
                }
            }
            if (items[best] >= item)
            {
                break;
            }
            items[at] = items[best];
            at = best;
        }
        items[at] = item;
        return true;
    }
}
