namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Where a sampler is.</summary>
/// <param name="Epoch">Passes over the data begun before this one.</param>
/// <param name="Batch">Batches of this pass that were given.</param>
internal readonly record struct SamplerPosition(int Epoch, int Batch);

/// <summary>Deals the rows of a training set into batches, pass after pass, each row once a pass, in an order that only seed and pass decide.</summary>
/// <remarks>
/// Where texts must be distinct, a row waits for a later batch while one of its texts stands in the present one, as in the NoDuplicatesBatchSampler of
/// sentence-transformers: two equal texts would be each other's false negatives. A batch is closed early once very many rows in turn had to wait.
/// The shuffle is Fisher and Yates' with SplitMix64, so that it is the same in every version of .NET.
/// </remarks>
internal sealed class PairSampler
{
    private const int MostWaiting = 100_000;

    private readonly TrainingSet _data;
    private readonly int _batchSize;
    private readonly int _seed;
    private readonly bool _distinct;
    private readonly int _smallest;
    private List<int[]> _batches = [];
    private int _epoch;
    private int _next;

    /// <param name="data">The data.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="seed">Decides the order.</param>
    /// <param name="distinct">Whether no text may stand twice in a batch.</param>
    /// <param name="smallest">Batches of fewer rows are left out, because the loss learns nothing from them.</param>
    /// <exception cref="InvalidDataException">No batch is large enough: all rows share a text.</exception>
    public PairSampler(TrainingSet data, int batchSize, int seed, bool distinct, int smallest)
    {
        (_data, _batchSize, _seed, _distinct, _smallest) = (data, batchSize, seed, distinct, smallest);
        _batches = Deal(0);
        if (_batches.Count == 0)
        {
            throw new InvalidDataException(
                $"No two of the {data.Count} pairs can stand in one batch: the batch size is {batchSize}, and each pair shares a text with every other, so that there is nothing to tell them from. Give pairs of different texts.");
        }
        StepsPerEpoch = _batches.Count;
    }

    /// <summary>Batches of the first pass; later ones may differ by a few.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Where the next batch comes from.</summary>
    public SamplerPosition Position => new(_epoch, _next);

    /// <summary>Continues from a position.</summary>
    public void MoveTo(SamplerPosition position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position.Epoch);
        List<int[]> batches = Deal(position.Epoch);
        if (position.Batch < 0 || position.Batch > batches.Count)
        {
            throw new InvalidDataException($"The checkpoint stands at batch {position.Batch} of a pass with {batches.Count}; it is damaged. Continue from an earlier one.");
        }
        (_batches, _epoch, _next) = (batches, position.Epoch, position.Batch);
    }

    /// <summary>Rows of the next batch.</summary>
    public int[] Next()
    {
        while (_next == _batches.Count)
        {
            _batches = Deal(++_epoch);
            _next = 0;
        }
        return _batches[_next++];
    }

    private List<int[]> Deal(int epoch)
    {
        int[] order = Shuffled(epoch);
        var batches = new List<int[]>();
        var waiting = new LinkedList<int>(order);
        var texts = new HashSet<int>();
        while (waiting.Count > 0)
        {
            texts.Clear();
            var batch = new List<int>(_batchSize);
            int passed = 0;
            for (LinkedListNode<int>? node = waiting.First; node is not null && batch.Count < _batchSize && passed < MostWaiting;)
            {
                LinkedListNode<int> current = node;
                node = node.Next;
                if (!_distinct || TryTake(current.Value, texts))
                {
                    batch.Add(current.Value);
                    waiting.Remove(current);
                }
                else
                {
                    passed++;
                }
            }
            if (batch.Count >= _smallest)
            {
                batches.Add([.. batch]);
            }
            else if (passed >= MostWaiting)
            {
                break;
            }
        }
        return batches;
    }

    private bool TryTake(int row, HashSet<int> texts)
    {
        // A group is kept among the texts as a negative number.
        if (_data.Groups is int[] groups && texts.Contains(~groups[row]))
        {
            return false;
        }
        foreach (int[] column in _data.Columns)
        {
            if (texts.Contains(column[row]))
            {
                return false;
            }
        }
        foreach (int[] column in _data.Columns)
        {
            texts.Add(column[row]);
        }
        if (_data.Groups is not null)
        {
            texts.Add(~_data.Groups[row]);
        }
        return true;
    }

    private int[] Shuffled(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, _data.Count)];
        ulong state = ((ulong)(uint)_seed << 32) ^ (uint)epoch;
        for (int i = order.Length - 1; i > 0; i--)
        {
            int other = (int)Math.BigMul(SplitMix(ref state), (ulong)i + 1, out _);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong x = state += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
