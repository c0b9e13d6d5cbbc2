using Microsoft.ML.Lacos.Bloom;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A frozen linear layer over quantised weights, computed by torch operations alone, on any device.</summary>
/// <remarks>
/// The weights stay quantised, in any scheme: only while a product is computed is there a matrix of floats, forward and once more backward, as in the 8-bit
/// BLOOM recipe. Input, output and gradients are fp32; the product itself is in fp32 or bf16. It needs no native library.
/// </remarks>
internal sealed class DequantizedLinear : FrozenLinear
{
    private readonly QuantizedTensor _weight;
    private readonly torch.Tensor _bias;
    private readonly BackwardFailure _failure;
    private readonly torch.ScalarType _product;
    private readonly MatrixBuffer? _buffer;

    /// <param name="weights">Read only now.</param>
    /// <param name="failure">Where exceptions of the backward pass go.</param>
    /// <param name="device">Where the weights go and in which type the product is; null for the CPU in fp32.</param>
    /// <param name="buffer">Where the matrix of a product is made, shared with the model's other layers; null for memory of its own at each product.</param>
    public DequantizedLinear(LinearWeights weights, BackwardFailure failure, GraphDevice? device = null, MatrixBuffer? buffer = null)
        : base(weights.Weight.Columns, weights.Weight.Rows)
    {
        device ??= GraphDevice.Cpu;
        _weight = new QuantizedTensor(weights.Weight, device.Device);
        _bias = DeviceTensors.Of(weights.Bias, [Outputs], device.Device);
        _failure = failure;
        _product = device.Product;
        _buffer = buffer;
    }

    public override torch.Tensor Forward(torch.Tensor x) => Product.apply(x, this);

    public override void Dispose()
    {
        _weight.Dispose();
        _bias.Dispose();
    }

    private torch.Tensor Output(torch.Tensor x)
    {
        using torch.Tensor matrix = _weight.Dequantize(_product, _buffer);
        if (_product == torch.ScalarType.Float32)
        {
            return functional.linear(x, matrix, _bias);
        }
        using torch.Tensor rounded = x.to(_product);
        using torch.Tensor y = functional.linear(rounded, matrix);
        return y.to(torch.ScalarType.Float32).PlusInPlace(_bias);
    }

    private torch.Tensor InputGradient(torch.Tensor outputGradient)
    {
        using torch.Tensor matrix = _weight.Dequantize(_product, _buffer);
        using torch.Tensor rounded = outputGradient.to(_product);
        using torch.Tensor gradient = rounded.matmul(matrix);
        return gradient.to(torch.ScalarType.Float32);
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
            return layer.Output(x);
        }

        public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output)
        {
            var layer = (DequantizedLinear)ctx.get_data(LayerKey);
            return [layer._failure.Guard(() => layer.InputGradient(grad_output), grad_output.shape[0], layer.Inputs, grad_output.device), null!];
        }
    }
}
