using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Where a sampler is.</summary>
/// <param name="Epoch">Passes over the data begun before this one.</param>
/// <param name="Batch">Batches of this pass that were given.</param>
internal readonly record struct SamplerPosition(int Epoch, int Batch);

/// <summary>Deals the rows of a training set into batches, pass after pass, in an order that only seed and pass decide.</summary>
/// <remarks>
/// Where texts must be distinct, a row waits for a later batch while one of its texts stands in the present one, as in the NoDuplicatesBatchSampler of
/// sentence-transformers: two equal texts would be each other's false negatives. Where rows have classes, a batch takes as many of each as fill it (one of each where there are as many classes as rows), and one in which
/// all are of one class is left out, because nothing in it is a negative. A batch is closed early once very many rows in turn had to wait; the pass goes on.
/// Where rows are bucketed, stretches of the order are sorted by length before they are dealt, and the batches shuffled afterwards.
/// </remarks>
internal sealed class PairSampler
{
    private const int MostWaiting = 100_000;
    private const int BatchesOfBucket = 50;

    private readonly TrainingSet _data;
    private readonly int _batchSize;
    private readonly int _seed;
    private readonly bool _distinct;
    private readonly int _smallest;
    private readonly int _rowsOfClass;
    private readonly bool _bucket;
    private readonly int _mostWaiting;
    private readonly RowOrder _order;
    private List<int[]> _batches = [];
    private int _epoch;
    private int _next;

    /// <param name="data">The data.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="seed">Decides the order.</param>
    /// <param name="distinct">Whether no text may stand twice in a batch, and classes are spread over them.</param>
    /// <param name="smallest">Batches of fewer rows are left out, because the loss learns nothing from them.</param>
    /// <param name="bucket">Whether a batch's rows shall be of similar length.</param>
    /// <param name="balancePower">Exponent of a group's share, where the rows have groups.</param>
    /// <param name="mostWaiting">A batch is closed early once this many rows in turn had to wait.</param>
    /// <exception cref="InvalidDataException">No batch is large enough: all rows share a text.</exception>
    public PairSampler(TrainingSet data, int batchSize, int seed, bool distinct, int smallest, bool bucket = false, double balancePower = 1, int mostWaiting = MostWaiting)
    {
        (_data, _batchSize, _seed, _distinct, _smallest, _bucket, _mostWaiting) = (data, batchSize, seed, distinct, smallest, bucket, mostWaiting);
        _rowsOfClass = data.Classes is int[] classes ? (int)Math.Ceiling((double)batchSize / classes.Distinct().Count()) : 0;
        _order = new RowOrder(data.Count, seed, data.Groups, balancePower);
        _batches = Deal(0);
        if (_batches.Count == 0)
        {
            throw new InvalidDataException(batchSize < smallest
                ? $"The batch size is {batchSize}; this loss compares the pairs of a batch and needs at least {smallest} of them."
                : data.Classes is not null && _rowsOfClass >= batchSize
                ? $"The {data.Count} pairs are of one class, which has nothing to be told from: a class of a single text makes no pair. Give another class a second text, or take a loss that learns from pairs of two classes, such as {TrainingLoss.CosineSimilarity}."
                : $"No two of the {data.Count} pairs can stand in one batch: the batch size is {batchSize}, and each pair shares a text with every other, so that there is nothing to tell them from. Give pairs of different texts.");
        }
        StepsPerEpoch = _batches.Count;
        LeftOut = data.Count - _batches.Sum(batch => batch.Length);
    }

    /// <summary>Batches of the first pass; later ones may differ by a few.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Rows of the first pass that found no place in a batch; later passes leave out others.</summary>
    public int LeftOut { get; }

    /// <summary>Where the next batch comes from.</summary>
    public SamplerPosition Position => new(_epoch, _next);

    /// <summary>Batches of a position's pass.</summary>
    /// <param name="position">The position.</param>
    /// <param name="given">Batches that were given when the sampler stood there.</param>
    /// <exception cref="InvalidDataException">It cannot have stood there.</exception>
    public List<int[]> PassAt(SamplerPosition position, long given)
    {
        if (!IsPossible(position, given))
        {
            throw new InvalidDataException($"The checkpoint stands at batch {position.Batch} of pass {position.Epoch} (from 0) after {given} batches; it is damaged. Continue from an earlier one.");
        }
        List<int[]> pass = position.Epoch == _epoch ? _batches : Deal(position.Epoch);
        return position.Batch <= pass.Count
            ? pass
            : throw new InvalidDataException($"The checkpoint stands at batch {position.Batch} of a pass with {pass.Count}; it is damaged. Continue from an earlier one.");
    }

    /// <summary>Continues from a position.</summary>
    /// <param name="position">The position.</param>
    /// <param name="pass">Batches of its pass.</param>
    public void MoveTo(SamplerPosition position, List<int[]> pass) => (_batches, _epoch, _next) = (pass, position.Epoch, position.Batch);

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

    // A pass begins with its first batch. Where texts must be distinct, passes differ by a few batches: they are dealt again to be counted, which takes far less than training on them did.
    private bool IsPossible(SamplerPosition position, long given)
    {
        if (position.Epoch < 0 || position.Batch < (position.Epoch == 0 ? 0 : 1))
        {
            return false;
        }
        long left = given - position.Batch;
        for (int epoch = 0; epoch < position.Epoch && left >= 0; epoch++)
        {
            left -= _distinct && epoch > 0 ? Deal(epoch).Count : StepsPerEpoch;
        }
        return left == 0;
    }

    private List<int[]> Deal(int epoch)
    {
        int[] order = _order.Of(epoch);
        if (_bucket)
        {
            SortStretches(order);
        }
        List<int[]> batches = _distinct ? DealApart(order) : [.. order.Chunk(_batchSize).Where(batch => batch.Length >= _smallest)];
        if (_bucket)
        {
            new SplitMix64(~(((ulong)(uint)_seed << 32) ^ (uint)epoch)).Shuffle(CollectionsMarshal.AsSpan(batches));
        }
        return batches;
    }

    // Ends, because every turn gives a batch, drops a row or, where it was closed early, brings rows to the lines of its own texts, where the next turn passes them over.
    private List<int[]> DealApart(int[] order)
    {
        var batches = new List<int[]>();
        var waiting = new WaitingRows();
        var texts = new HashSet<int>();
        var rowsOf = new Dictionary<int, int>();
        var places = new List<int>();
        int next = 0;
        while (next < order.Length || waiting.Count > 0)
        {
            texts.Clear();
            rowsOf.Clear();
            places.Clear();
            waiting.BeginBatch();
            int passed = 0;
            while (places.Count < _batchSize && passed < _mostWaiting && waiting.TryTakeOut(texts, out int place))
            {
                passed += Offer(place);
            }
            bool isClosedEarly = passed >= _mostWaiting;
            passed = 0;
            while (places.Count < _batchSize && passed < _mostWaiting && next < order.Length)
            {
                passed += Offer(next++);
            }
            isClosedEarly |= passed >= _mostWaiting;
            if (places.Count >= _smallest && (_data.Classes is null || rowsOf.Count > 1))
            {
                batches.Add([.. places.Select(place => order[place])]);
            }
            else if (isClosedEarly)
            {
                // Rows that fit may come later.
                places.ForEach(place => waiting.Add(place, _data.Columns[0][order[place]]));
            }
        }
        return batches;

        int Offer(int place)
        {
            if (TextInTheWay(order[place], texts) is int text)
            {
                waiting.Add(place, text);
                return 1;
            }
            AddTexts(order[place], texts, rowsOf);
            places.Add(place);
            return 0;
        }
    }

    // A class of which the batch takes no more is kept among the texts as a negative number.
    private int? TextInTheWay(int row, HashSet<int> texts)
    {
        if (_data.Classes is int[] classes && texts.Contains(~classes[row]))
        {
            return ~classes[row];
        }
        foreach (int[] column in _data.Columns)
        {
            if (texts.Contains(column[row]))
            {
                return column[row];
            }
        }
        return null;
    }

    private void AddTexts(int row, HashSet<int> texts, Dictionary<int, int> rowsOf)
    {
        foreach (int[] column in _data.Columns)
        {
            texts.Add(column[row]);
        }
        if (_data.Classes is int[] classes && (rowsOf[classes[row]] = rowsOf.GetValueOrDefault(classes[row]) + 1) == _rowsOfClass)
        {
            texts.Add(~classes[row]);
        }
    }

    private void SortStretches(int[] order)
    {
        var lengths = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            foreach (int[] column in _data.TokenColumns)
            {
                lengths[i] += _data.Tokens.LengthOf(column[order[i]]);
            }
        }
        int stretch = (int)Math.Min(order.Length, (long)BatchesOfBucket * _batchSize);
        for (int start = 0; start < order.Length; start += stretch)
        {
            int count = Math.Min(stretch, order.Length - start);

            // Array.Sort is unstable, but deterministic for the same input.
            Array.Sort(lengths, order, start, count);
        }
    }
}
