using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Data;
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
    private readonly LacosBloomTrainer.Options _options;
    private readonly TrainingSet _data;
    private readonly PoolingOptions _pooling;
    private readonly int _poolFrom;
    private readonly IDisposable _weights;

    public BatchTrainer(LacosModel model, TrainingSet data, LacosBloomTrainer.Options options, int poolFrom)
    {
        (_options, _data, _poolFrom) = (options, data, poolFrom);
        _weights = model.Lease();
        try
        {
            _pooling = new PoolingOptions(options.Pooling ?? model.Settings.Pooling);

            // The frozen layers: null lets the graph choose them by how the weights are stored.
            Model = new LoraBloom(model.Weights, ConfigOf(options), options.Seed, makeLinear: null)
            {
                ActivationMemory = options.ActivationMemory > 0 ? options.ActivationMemory : FreeMemory() / 2,
            };
            Loss = LossOfOptions.Create(options, Pooling.Dimension(model.Weights.Config.HiddenSize, _pooling), data.ClassCount);
            (string Name, torch.Tensor Value)[] trained = [.. Model.Parameters, .. Loss.Parameters.Select(item => ("loss." + item.Name, item.Value))];
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

    public SentenceLoss Loss { get; } = null!;

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
    /// <param name="rows">Rows of the training set.</param>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="learningRate">Size of the step.</param>
    public BatchResult Step(int[] rows, long step, double learningRate)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor? labels = Labels(rows);
        var key = new DropoutKey(_options.Seed, step);
        double loss = Backward(rows, labels, key);
        Model.Failure.ThrowIfAny();
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
        Loss?.Dispose();
        _weights.Dispose();
    }

    private static long FreeMemory()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo(GCKind.Any);
        return Math.Max(memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes, 0);
    }

    private double Backward(int[] rows, torch.Tensor? labels, DropoutKey key)
    {
        int columns = _data.Columns.Length;
        if (rows.Length > _options.MiniBatchSize)
        {
            return GradientCache.Backward(Loss, columns, rows.Length, _options.MiniBatchSize, (column, start, count) => Encode(column, rows.AsSpan(start, count), key), labels);
        }
        torch.Tensor value = Loss.Forward([.. Enumerable.Range(0, columns).Select(column => Encode(column, rows, key))], labels);
        double loss = value.item<float>();

        // Without a similarity to put in order a loss is a constant and has no graph.
        if (value.requires_grad)
        {
            value.backward();
        }
        return loss;
    }

    private torch.Tensor Encode(int column, ReadOnlySpan<int> rows, DropoutKey key)
    {
        var ids = new List<int>();
        var offsets = new int[rows.Length + 1];
        var poolFrom = new int[rows.Length];
        var keys = new long[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            ids.AddRange(_data.Tokens[_data.Columns[column][rows[i]]]);
            offsets[i + 1] = ids.Count;
            poolFrom[i] = _poolFrom;
            keys[i] = ((long)rows[i] * _data.Columns.Length) + column;
        }
        return Model.Encode(new TokenRows(Model.Config, [.. ids], offsets, poolFrom, keys), _pooling, key);
    }

    private torch.Tensor? Labels(int[] rows)
    {
        if (_data.Labels is not double[] labels)
        {
            return null;
        }
        return Loss.Label == LossLabel.Class
            ? torch.tensor(rows.Select(row => (long)labels[row]).ToArray())
            : torch.tensor(rows.Select(row => (float)labels[row]).ToArray());
    }
}
