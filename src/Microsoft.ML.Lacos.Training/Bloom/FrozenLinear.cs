using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A linear layer of the base model: gradients flow through it to its input, and it never changes.</summary>
internal abstract class FrozenLinear(int inputs, int outputs) : IDisposable
{
    /// <summary>In features.</summary>
    public int Inputs { get; } = inputs;

    /// <summary>Out features.</summary>
    public int Outputs { get; } = outputs;

    /// <summary>Computes <c>x Wᵀ + b</c>.</summary>
    /// <param name="x">[tokens, in].</param>
    /// <returns>[tokens, out].</returns>
    public abstract torch.Tensor Forward(torch.Tensor x);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A frozen linear layer in fp32, in memory of its own; a quantised matrix is dequantised once.</summary>
internal sealed class SinglePrecisionLinear : FrozenLinear
{
    private readonly torch.Tensor _weight;
    private readonly torch.Tensor _bias;

    public SinglePrecisionLinear(LinearWeights weights, torch.Device? device = null)
        : base(weights.Weight.Columns, weights.Weight.Rows)
    {
        torch.Tensor matrix = torch.empty(Outputs, Inputs, dtype: torch.ScalarType.Float32);
        for (int row = 0; row < Outputs; row++)
        {
            using torch.Tensor one = matrix[row];
            weights.Weight.DequantizeHeldRow(row, MemoryMarshal.Cast<byte, float>(one.bytes));
        }
        _weight = DeviceTensors.Move(matrix, device ?? torch.CPU);
        _bias = DeviceTensors.Of(weights.Bias, [Outputs], device);
    }

    public override torch.Tensor Forward(torch.Tensor x) => functional.linear(x, _weight, _bias);

    public override void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }
}
