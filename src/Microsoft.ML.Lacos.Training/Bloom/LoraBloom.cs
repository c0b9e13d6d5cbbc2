using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A frozen BLOOM with trainable low-rank adapters, as a graph of torch operations.</summary>
/// <remarks>Tensors that <see cref="Encode"/> makes belong to the caller's dispose scope. Not thread-safe.</remarks>
internal sealed class LoraBloom : IDisposable
{
    private readonly WeightMatrix _embeddings;
    private readonly FrozenNorm _embeddingsNorm;
    private readonly LoraBlock[] _blocks;
    private readonly FrozenNorm _finalNorm;
    private readonly NativeLoraBlocks? _native;
    private readonly MatrixBuffer? _buffer;

    /// <summary>Builds the graph's constants and adapters.</summary>
    /// <param name="weights">Base model. Its embedding table and quantised matrices are read during training, so their memory must stay valid.</param>
    /// <param name="config">Shape of the adapters. A starts uniformly in ±1/√in, B with zeros, so that the model starts as the base.</param>
    /// <param name="seed">Decides the first values of A.</param>
    /// <param name="makeLinear">Makes the frozen layers; null for <see cref="FrozenLayers.Create"/>.</param>
    /// <param name="device">Where the graph runs; null for the CPU.</param>
    /// <exception cref="ArgumentException">The configuration has impossible numbers or targets no layer of this model.</exception>
    public LoraBloom(BloomWeights weights, LoraConfig config, int seed = 1, Func<LinearWeights, BackwardFailure, FrozenLinear>? makeLinear = null, GraphDevice? device = null)
    {
        Check(config);
        _buffer = device is null || device.Device.type == DeviceType.CPU ? new MatrixBuffer((device ?? GraphDevice.Cpu).Product) : null;
        bool native = makeLinear is null && FrozenLayers.AreNative(weights, device);
        makeLinear ??= native ? (linear, _) => new NativeLoraBlocks.Part(linear) : (linear, failure) => FrozenLayers.Create(linear, failure, device, _buffer);
        Device = (device ?? GraphDevice.Cpu).Device;
        Config = weights.Config;
        Lora = config;
        // What is made here lives as long as this object, not as long as a scope around it.
        using DisposeScope scope = torch.NewDisposeScope();
        float epsilon = Config.LayerNormEpsilon;
        var random = new Random(seed);
        int layers = 0;
        _embeddings = weights.WordEmbeddings;
        _embeddingsNorm = new FrozenNorm(weights.WordEmbeddingsLayerNorm, epsilon, Device);
        _blocks = [.. weights.Blocks.Select((block, layer) => new LoraBlock(
            Config,
            new FrozenNorm(block.InputLayerNorm, epsilon, Device),
            Linear(block.QueryKeyValue, BloomTensorNames.QueryKeyValue(layer)),
            Linear(block.Dense, BloomTensorNames.Dense(layer)),
            new FrozenNorm(block.PostAttentionLayerNorm, epsilon, Device),
            Linear(block.DenseHTo4H, BloomTensorNames.DenseHTo4H(layer)),
            Linear(block.Dense4HToH, BloomTensorNames.Dense4HToH(layer))))];
        _finalNorm = new FrozenNorm(weights.FinalLayerNorm, epsilon, Device);
        scope.Detach(scope.DisposablesView);
        if (!Adapted.Any())
        {
            Dispose();
            throw new ArgumentException($"The LoRA configuration targets [{config.TargetPattern ?? string.Join(", ", config.TargetModules)}], which is no linear layer of a BLOOM block.", nameof(config));
        }
        _native = native ? new NativeLoraBlocks(weights, Failure) : null;

        LoraLinear Linear(LinearWeights linear, string name) => new(makeLinear(linear, Failure), name, layers++, config, random, Device);
    }

    /// <summary>Where the graph runs.</summary>
    public torch.Device Device { get; }

    /// <summary>Whether all frozen blocks run in the native library.</summary>
    public bool IsNative => _native is not null;

    /// <summary>Shape of the base model.</summary>
    public BloomConfig Config { get; }

    /// <summary>Shape of the adapters.</summary>
    public LoraConfig Lora { get; }

    /// <summary>What went wrong in the backward pass; to be asked after each.</summary>
    public BackwardFailure Failure { get; } = new();

    /// <summary>Bytes that all batches on their way may hold of the blocks' activations; blocks beyond it are computed again on the way back, with the same gradients. On the native blocks only.</summary>
    public long ActivationMemory { get; set; } = long.MaxValue;

    /// <summary>The layers that have an adapter, in order.</summary>
    public IEnumerable<LoraLinear> Adapted => _blocks.SelectMany(block => block.Linears).Where(linear => linear.A is not null);

    /// <summary>What is trained, by the names of a PEFT adapter without their prefix: <c>h.0.self_attention.query_key_value.lora_A.weight</c> and so on.</summary>
    public IReadOnlyList<(string Name, torch.Tensor Value)> Parameters =>
        [.. Adapted.SelectMany(linear => new (string, torch.Tensor)[] { ($"{linear.Name}.lora_A.weight", linear.A!), ($"{linear.Name}.lora_B.weight", linear.B!) })];

    /// <summary>Copies the adapters as they are now.</summary>
    public PeftAdapter ToAdapter() => new(
        Lora, Adapted.ToDictionary(linear => linear.Name, linear => new LoraMatrices((int)linear.A!.shape[0], DeviceTensors.Read(linear.A!), DeviceTensors.Read(linear.B!))));

    /// <summary>Takes over the matrices of an adapter.</summary>
    /// <exception cref="InvalidDataException">It adapts other layers, or was made for another shape.</exception>
    public void Load(PeftAdapter adapter)
    {
        Require(adapter);
        foreach (LoraLinear linear in Adapted)
        {
            DeviceTensors.Write(linear.A!, adapter.Modules[linear.Name].A);
            DeviceTensors.Write(linear.B!, adapter.Modules[linear.Name].B);
        }
    }

    /// <summary>Refuses an adapter whose matrices do not fit; changes nothing.</summary>
    /// <inheritdoc cref="Load"/>
    public void Require(PeftAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        LoraLinear[] adapted = [.. Adapted];
        if (!adapter.Modules.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(adapted.Select(linear => linear.Name)))
        {
            throw new InvalidDataException($"The adapter adapts {adapter.Modules.Count} layers, the model is set up for {adapted.Length} ({adapted[0].Name}, ...). Train with the configuration of the adapter, over its own base model.");
        }
        foreach (LoraLinear linear in adapted)
        {
            LoraMatrices matrices = adapter.Modules[linear.Name];
            if (matrices.Rank != linear.A!.shape[0] || matrices.A.Length != linear.A.NumberOfElements || matrices.B.Length != linear.B!.NumberOfElements)
            {
                throw new InvalidDataException(
                    $"The adapter's matrices of '{linear.Name}' are for rank {matrices.Rank}, {matrices.InFeatures} inputs and {matrices.OutFeatures} outputs; "
                    + $"the model needs rank {linear.A.shape[0]}, {linear.A.shape[1]} and {linear.B!.shape[0]}. Choose the adapter's own base model.");
            }
        }
    }

    /// <summary>Computes the pooled vectors of a batch.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="pooling">Pooling, dimension, normalisation.</param>
    /// <param name="dropout">Run and step while training; null for no dropout.</param>
    /// <returns>[rows, dimension].</returns>
    public torch.Tensor Encode(TokenRows rows, PoolingOptions pooling, DropoutKey? dropout = null) =>
        TrainablePooling.Forward(EncodeTokens(rows, dropout), rows, pooling);

    /// <summary>Computes the vector of every token after the final layer norm.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="dropout">Run and step while training; null for no dropout.</param>
    /// <returns>[tokens, hidden].</returns>
    public torch.Tensor EncodeTokens(TokenRows rows, DropoutKey? dropout = null)
    {
        if (_native is not null)
        {
            return _native.EncodeTokens(rows, [.. _blocks.SelectMany(block => block.Linears)], dropout is DropoutKey key && Lora.Dropout > 0 ? key : null, Lora.Dropout, ActivationMemory);
        }
        torch.Tensor x = _embeddingsNorm.Forward(Embed(rows.Ids));
        using var attention = new TrainableAttention(Config, rows, x.device);
        foreach (LoraBlock block in _blocks)
        {
            x = block.Forward(x, rows, attention, dropout);
        }
        return _finalNorm.Forward(x);
    }

    public void Dispose()
    {
        _embeddingsNorm.Dispose();
        _finalNorm.Dispose();
        Array.ForEach(_blocks, block => block.Dispose());
        _native?.Dispose();
        _buffer?.Dispose();
    }

    private static void Check(LoraConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Rank <= 0 || !double.IsFinite(config.Alpha) || config.Alpha <= 0 || config.Dropout is not (>= 0 and < 1))
        {
            throw new ArgumentException(
                $"LoRA has rank {config.Rank}, alpha {config.Alpha} and dropout {config.Dropout}; rank and alpha must be positive, dropout from 0 to below 1.", nameof(config));
        }
    }

    // The table is frozen: its rows are looked up outside the graph, from whatever form it is stored in.
    private torch.Tensor Embed(int[] ids)
    {
        var values = new float[checked(ids.Length * Config.HiddenSize)];
        for (int token = 0; token < ids.Length; token++)
        {
            _embeddings.DequantizeHeldRow(ids[token], values.AsSpan(token * Config.HiddenSize, Config.HiddenSize));
        }
        return DeviceTensors.Of(values, [ids.Length, Config.HiddenSize], Device);
    }
}
