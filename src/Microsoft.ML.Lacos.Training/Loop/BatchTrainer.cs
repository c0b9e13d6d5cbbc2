using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Data;
using Microsoft.ML.Lacos.Training.Distributed;
using Microsoft.ML.Lacos.Training.Losses;
using Microsoft.ML.Lacos.Training.Optimizers;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>Loss and gradient norm of one batch.</summary>
internal readonly record struct BatchResult(double Loss, double GradientNorm)
{
    /// <summary>Whether the gradients can be used.</summary>
    public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);
}

/// <summary>The trainable model, its loss and its optimiser: makes one step from one batch.</summary>
internal sealed class BatchTrainer : IDisposable
{
    private const string LossPrefix = "loss.";

    private readonly LacosBloomTrainer.Options _options;
    private readonly LoadedData _data;
    private readonly PoolingOptions _pooling;
    private readonly bool _normalized;
    private readonly Ranks _ranks;
    private readonly int _dimension;
    private readonly IDisposable _weights;
    private readonly List<SentenceLoss> _losses = [];

    public BatchTrainer(LacosModel model, LoadedData data, LacosBloomTrainer.Options options)
    {
        (_options, _data, _ranks) = (options, data, new Ranks(options.ProcessGroup));
        _weights = model.Lease();
        try
        {
            _pooling = new PoolingOptions(options.Pooling ?? model.Settings.Pooling);
            _normalized = model.Settings.Normalize;

            PeftAdapter? start = options.Adapter is string folder ? PeftAdapter.Load(folder) : null;

            // The frozen layers: null lets the graph choose them by how the weights are stored.
            Model = new LoraBloom(model.LeasedWeights, start is null ? ConfigOf(options) : start.Config with { Dropout = options.LoraDropout }, options.Seed, makeLinear: null, options.Device)
            {
                ActivationMemory = options.ActivationMemory > 0 ? options.ActivationMemory : FreeMemory() / 2,
            };
            if (start is not null)
            {
                Model.Load(start);
            }
            _dimension = Pooling.Dimension(model.LeasedWeights.Config.HiddenSize, _pooling);
            foreach (LoadedDataset dataset in data.Datasets)
            {
                _losses.Add(LossOfDataset.Create(dataset, options, _dimension));
            }
            (string Name, torch.Tensor Value)[] trained = [.. Model.Parameters, .. LossParameters.Select(item => (LossPrefix + item.Name, item.Value))];
            var adam = new AdamOptions(options.LearningRate, WeightDecay: options.WeightDecay);
            Optimizer = options.Optimizer == TrainingOptimizer.AdamW ? new AdamW(trained, adam) : new Adam8bit(trained, adam);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public LoraBloom Model { get; } = null!;

    /// <summary>What the losses have learned, by data set and name.</summary>
    public IReadOnlyList<(string Name, torch.Tensor Value)> LossParameters =>
        [.. _losses.SelectMany((loss, dataset) => loss.Parameters.Select(item => (_losses.Count == 1 ? item.Name : string.Create(CultureInfo.InvariantCulture, $"{dataset}.{item.Name}"), item.Value)))];

    public AdamOptimizer Optimizer { get; } = null!;

    /// <summary>Whether all trained weights are finite.</summary>
    public bool IsSound
    {
        get
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return Optimizer.Parameters.All(item => item.Value.isfinite().all().item<bool>());
        }
    }

    /// <summary>Shape of the adapters that options ask for.</summary>
    public static LoraConfig ConfigOf(LacosBloomTrainer.Options options) => new()
    {
        Rank = options.LoraRank,
        Alpha = options.LoraAlpha,
        Dropout = options.LoraDropout,
        RankStabilized = options.RankStabilized,
        TargetModules = options.LoraTargets,
        TaskType = "FEATURE_EXTRACTION",
    };

    /// <summary>Computes the gradients of a batch and, where they are finite, makes the step.</summary>
    /// <param name="batch">A data set and rows of it.</param>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="learningRate">Size of the step.</param>
    public BatchResult Step(MixedBatch batch, long step, double learningRate)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor? labels = Labels(batch);
        var key = new DropoutKey(_options.Seed, step);
        double loss = Backward(batch, labels, key);
        Model.Failure.ThrowIfAny();
        if (_ranks.AreMany)
        {
            loss = _ranks.OfFirst(loss);
            Gradients.Sum(_ranks, Optimizer.Parameters, isWhole: name => name.StartsWith(LossPrefix, StringComparison.Ordinal));
        }
        var result = new BatchResult(loss, Gradients.Norm(Optimizer.Parameters));
        if (result.IsFinite)
        {
            Gradients.Clip(Optimizer.Parameters, result.GradientNorm, _options.MaximumGradientNorm);
            Optimizer.LearningRate = learningRate;
            Optimizer.Step();
        }
        Optimizer.ZeroGradients();
        return result;
    }

    public void Dispose()
    {
        Model?.Dispose();
        _losses.ForEach(loss => loss.Dispose());
        _weights.Dispose();
    }

    private static long FreeMemory()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo(GCKind.Any);
        return Math.Max(memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes, 0);
    }

    private double Backward(MixedBatch batch, torch.Tensor? labels, DropoutKey key)
    {
        TrainingSet data = _data.Datasets[batch.Dataset].Rows;
        SentenceLoss objective = _losses[batch.Dataset];
        int[] rows = batch.Rows;
        int columns = data.Columns.Length;
        ChunkEncoder encode = (column, start, count) => Encode(batch.Dataset, column, rows.AsSpan(start, count), key);
        if (_ranks.AreMany)
        {
            return new SharedBatch(_ranks, columns, rows.Length, _dimension, Model.Device).Backward(objective, _options.MiniBatchSize, encode, labels);
        }
        if (rows.Length > _options.MiniBatchSize)
        {
            return GradientCache.Backward(objective, columns, rows.Length, _options.MiniBatchSize, encode, labels);
        }
        torch.Tensor value = objective.Forward([.. Enumerable.Range(0, columns).Select(column => encode(column, 0, rows.Length))], labels);
        double loss = value.item<float>();

        // Without a similarity to put in order a loss is a constant and has no graph.
        if (value.requires_grad)
        {
            value.backward();
        }
        return loss;
    }

    private torch.Tensor Encode(int dataset, int column, ReadOnlySpan<int> rows, DropoutKey key)
    {
        TrainingSet data = _data.Datasets[dataset].Rows;
        var ids = new List<int>();
        var offsets = new int[rows.Length + 1];
        var poolFrom = new int[rows.Length];
        var keys = new long[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            data.Tokens.AppendTo(data.TokenColumns[column][rows[i]], ids);
            offsets[i + 1] = ids.Count;
            poolFrom[i] = _data.PoolFromOf(column);
            keys[i] = ((long)dataset << 48) + ((long)rows[i] * data.Columns.Length) + column;
        }
        // A teacher's vector and a classifier take the vector as the model gives it; every other loss normalises for itself.
        bool takesLength = data.Vectors is not null || _data.Datasets[dataset].Settings.Loss == TrainingLoss.Softmax;
        PoolingOptions pooling = _pooling with { Normalize = _normalized && takesLength };
        return Model.Encode(new TokenRows(Model.Config, [.. ids], offsets, poolFrom, keys), pooling, key);
    }

    private torch.Tensor? Labels(MixedBatch batch)
    {
        TrainingSet data = _data.Datasets[batch.Dataset].Rows;
        if (data.Vectors is float[][] vectors)
        {
            return DeviceTensors.Of([.. batch.Rows.SelectMany(row => vectors[row])], [batch.Rows.Length, vectors[0].Length], Model.Device);
        }
        Func<int, long>? classOf = data switch
        {
            { Classes: int[] classes } => row => classes[row],
            { Labels: double[] numbers } when _losses[batch.Dataset].Label == LossLabel.Class => row => (long)numbers[row],
            _ => null,
        };
        if (classOf is not null)
        {
            return torch.tensor(batch.Rows.Select(classOf).ToArray(), device: Model.Device);
        }
        return data.Labels is double[] labels ? DeviceTensors.Of([.. batch.Rows.Select(row => (float)labels[row])], [batch.Rows.Length], Model.Device) : null;
    }
}
