using System.Globalization;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>A batch of one of the data sets.</summary>
internal readonly record struct MixedBatch(int Dataset, int[] Rows);

/// <summary>Takes each step's batch from one of several data sets, in proportion to their weights.</summary>
/// <remarks>The data set of a step is the one furthest behind its share, which depends on the step's number alone: a run continues from the number and each data set's own place.</remarks>
internal sealed class MixedSampler
{
    // What a pass leaves out at its end is rarely more.
    private const double WorthTelling = 0.1;

    private readonly PairSampler[] _samplers;
    private readonly double[] _shares;
    private long[] _taken;
    private long _step;

    /// <param name="datasets">The data sets.</param>
    /// <param name="seed">Decides the order of the rows.</param>
    /// <param name="bucket">Whether a batch's rows shall be of similar length.</param>
    /// <exception cref="InvalidDataException">A data set gives no batch.</exception>
    public MixedSampler(IReadOnlyList<LoadedDataset> datasets, int seed, bool bucket)
    {
        _samplers = [.. datasets.Select(dataset => SamplerOf(dataset, seed, bucket, isNamed: datasets.Count > 1))];
        double[] weights = [.. datasets.Zip(_samplers, (dataset, sampler) => dataset.Settings.Weight ?? sampler.StepsPerEpoch)];
        _shares = Shares.Of(weights);
        _taken = new long[_samplers.Length];
        Notes = [.. datasets.Zip(_samplers).Where(pair => IsWorthTelling(pair.First, pair.Second.LeftOut)).Select(pair => LeavesOut(pair.First, pair.Second.LeftOut))];
    }

    /// <summary>Batches that all data sets give in one pass over each.</summary>
    public long StepsPerEpoch => _samplers.Sum(sampler => (long)sampler.StepsPerEpoch);

    /// <summary>What a person should know: the data sets of which a pass leaves out many rows.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Where each data set's next batch comes from.</summary>
    public IReadOnlyList<SamplerPosition> Positions => [.. _samplers.Select(sampler => sampler.Position)];

    /// <summary>Continues a run.</summary>
    /// <param name="step">Batches that were given.</param>
    /// <param name="positions">Where each data set was then.</param>
    /// <exception cref="InvalidDataException">The positions do not fit the data sets or the step; nothing is changed.</exception>
    public void MoveTo(long step, IReadOnlyList<SamplerPosition> positions)
    {
        if (positions.Count != _samplers.Length)
        {
            throw new InvalidDataException($"The checkpoint has {positions.Count} data sets, this run {_samplers.Length}. Continue with the same data, or start anew in another folder.");
        }
        var taken = new long[_samplers.Length];
        for (long done = 1; done <= step; done++)
        {
            taken[Shares.FurthestBehind(_shares, done, taken)]++;
        }
        List<int[]>[] passes = [.. _samplers.Select((sampler, i) => sampler.PassAt(positions[i], taken[i]))];
        for (int i = 0; i < _samplers.Length; i++)
        {
            _samplers[i].MoveTo(positions[i], passes[i]);
        }
        (_step, _taken) = (step, taken);
    }

    /// <summary>The next batch.</summary>
    public MixedBatch Next()
    {
        int dataset = Take();
        return new MixedBatch(dataset, _samplers[dataset].Next());
    }

    private static PairSampler SamplerOf(LoadedDataset dataset, int seed, bool bucket, bool isNamed)
    {
        DatasetSettings settings = dataset.Settings;
        try
        {
            return new PairSampler(dataset.Rows, settings.BatchSize, seed, settings.IsDistinct, settings.SmallestBatch, bucket, settings.BalancePower);
        }
        catch (InvalidDataException error) when (isNamed)
        {
            throw new InvalidDataException($"{settings.Name}: {error.Message}", error);
        }
    }

    // Fewer than make a batch are only what did not come out even.
    private static bool IsWorthTelling(LoadedDataset dataset, int leftOut) => leftOut >= dataset.Settings.SmallestBatch && leftOut > WorthTelling * dataset.Rows.Count;

    private static string LeavesOut(LoadedDataset dataset, int rows) => string.Create(
        CultureInfo.InvariantCulture,
        $"A pass over {dataset.Settings.Name} leaves out {rows} of {dataset.Rows.Count} pairs, which share {(dataset.Rows.Classes is null ? "a text" : "a class or a text")} with all that are left to stand beside them. Each pass leaves out others.");

    private int Take()
    {
        int dataset = Shares.FurthestBehind(_shares, ++_step, _taken);
        _taken[dataset]++;
        return dataset;
    }
}
