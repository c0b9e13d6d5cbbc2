using Microsoft.ML.Lacos.Lora;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A frozen linear layer, with an adapter or without.</summary>
internal sealed class LoraLinear : IDisposable
{
    private readonly FrozenLinear _base;
    private readonly double _scale;
    private readonly double _dropout;

    /// <summary>Puts an adapter beside a layer, which it owns from then on, where the configuration targets it.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="name">Name of the layer in the checkpoint.</param>
    /// <param name="index">Number of the layer in the model.</param>
    /// <param name="config">Shape of the adapters.</param>
    /// <param name="random">Gives the first values of A.</param>
    /// <param name="device">Where the adapter is; null for the CPU.</param>
    public LoraLinear(FrozenLinear layer, string name, int index, LoraConfig config, Random random, torch.Device? device = null)
    {
        _base = layer;
        Name = name;
        Index = index;
        if (config.Targets(name))
        {
            int rank = config.RankOf(name);
            _scale = config.ScalingOf(name);
            _dropout = config.Dropout;
            A = new Parameter(DeviceTensors.Of(InitialA(random, rank, layer.Inputs), [rank, layer.Inputs], device));
            B = new Parameter(torch.zeros(layer.Outputs, rank, device: device));
        }
    }

    /// <summary>Name of the layer in the checkpoint, such as <c>h.0.self_attention.query_key_value</c>.</summary>
    public string Name { get; }

    /// <summary>Number of the layer in the model.</summary>
    public int Index { get; }

    /// <summary>What the adapter's part is multiplied by, without dropout.</summary>
    public double Scale => _scale;

    /// <summary><c>lora_A</c>, [rank, in]; null without an adapter.</summary>
    public Parameter? A { get; }

    /// <summary><c>lora_B</c>, [out, rank]; null without an adapter.</summary>
    public Parameter? B { get; }

    /// <summary>Computes <c>x Wᵀ + b</c>, and the adapter's part.</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="rows">The batch.</param>
    /// <param name="dropout">Run and step; null for no dropout.</param>
    public torch.Tensor Forward(torch.Tensor x, TokenRows rows, DropoutKey? dropout)
    {
        torch.Tensor y = _base.Forward(x);
        if (A is null || B is null)
        {
            return y;
        }
        double scale = _scale;
        torch.Tensor input = x;
        if (dropout is DropoutKey key && _dropout > 0)
        {
            // The division by the share that is kept is left to the scale: rank numbers a token instead of the input's width.
            using torch.Tensor kept = DropoutMask.Create(key, Index, rows, _base.Inputs, _dropout);
            input = x * kept.to(x.device);
            scale /= 1 - _dropout;
        }
        torch.Tensor low = functional.linear(input, A).Times(scale);
        return y.Plus(functional.linear(low, B));
    }

    public void Dispose()
    {
        _base.Dispose();
        A?.Dispose();
        B?.Dispose();
    }

    // PEFT: kaiming_uniform with a = sqrt(5), which is uniform in ±1/sqrt(in).
    private static float[] InitialA(Random random, int rank, int inputs)
    {
        double bound = 1 / Math.Sqrt(inputs);
        var values = new float[checked(rank * inputs)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(((random.NextDouble() * 2) - 1) * bound);
        }
        return values;
    }
}
