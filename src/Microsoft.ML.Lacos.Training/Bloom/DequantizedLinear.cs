using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Quantization;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A frozen linear layer over quantised weights, computed in fp32 by torch operations alone.</summary>
/// <remarks>
/// The weights stay quantised, in any scheme, and are read where they lie: only while a product is computed is there an fp32 matrix, forward and once more backward, as in the 8-bit
/// BLOOM recipe. It needs no native library.
/// </remarks>
internal sealed class DequantizedLinear : FrozenLinear
{
    private readonly WeightMatrix _weight;
    private readonly torch.Tensor _bias;
    private readonly BackwardFailure _failure;

    /// <param name="weights">Their memory must stay valid until disposed.</param>
    /// <param name="failure">Where exceptions of the backward pass go.</param>
    public DequantizedLinear(LinearWeights weights, BackwardFailure failure)
        : base(weights.Weight.Columns, weights.Weight.Rows)
    {
        _weight = weights.Weight;
        _bias = torch.tensor(weights.Bias);
        _failure = failure;
    }

    public override torch.Tensor Forward(torch.Tensor x) => Product.apply(x, this);

    public override void Dispose() => _bias.Dispose();

    private torch.Tensor Dequantize()
    {
        torch.Tensor matrix = torch.empty(Outputs, Inputs, dtype: torch.ScalarType.Float32);
        Parallel.For(0, Outputs, row => _weight.DequantizeRow(row, MemoryMarshal.Cast<byte, float>(matrix.bytes).Slice(row * Inputs, Inputs)));
        return matrix;
    }

    private torch.Tensor InputGradient(torch.Tensor outputGradient)
    {
        using torch.Tensor matrix = Dequantize();
        return outputGradient.matmul(matrix);
    }

    /// <summary><c>y = x Wᵀ + b</c> with <c>dx = dy W</c>; the matrix is made again for the way back, because 96 of them would be the fp32 model.</summary>
    private sealed class Product : torch.autograd.SingleTensorFunction<Product>
    {
        private const string LayerKey = "layer";

        public override string Name => nameof(DequantizedLinear);

        public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
        {
            (torch.Tensor x, DequantizedLinear layer) = ((torch.Tensor)vars[0], (DequantizedLinear)vars[1]);
            ctx.save_data(LayerKey, layer);
            using torch.Tensor matrix = layer.Dequantize();
            return functional.linear(x, matrix, layer._bias);
        }

        public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output)
        {
            var layer = (DequantizedLinear)ctx.get_data(LayerKey);
            return [layer._failure.Guard(() => layer.InputGradient(grad_output), grad_output.shape[0], layer.Inputs), null!];
        }
    }
}
