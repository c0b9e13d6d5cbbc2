using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Training.Loading;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>A frozen linear layer on the native int8 kernels, forward and backward from one packed copy of its weights.</summary>
/// <remarks>
/// Forward as the native encoder: rows of the input quantised as they come, exact integer sums. Backward: the scale of every output goes into the output gradient, whose rows
/// are then quantised likewise (a relative error of about one per cent), or stay in fp32 on request. The weights given are read only at construction.
/// </remarks>
internal sealed unsafe class NativeInt8Linear : FrozenLinear
{
    // What the native library takes: in features of a layer, and out features of an int8 gradient.
    private const int MaximumFeatures = 131072;
    private const int MaximumThreads = 256;

    private readonly NativeInt8LinearHandle _handle;
    private readonly float[] _bias;
    private readonly BackwardFailure _failure;
    private readonly bool _fullPrecisionGradient;

    /// <param name="weights">Row-wise int8.</param>
    /// <param name="failure">Where exceptions of the backward pass go.</param>
    /// <param name="fullPrecisionGradient">Whether the output gradient stays in fp32.</param>
    /// <exception cref="ArgumentException">The matrix has another scheme, or scales that are not finite.</exception>
    public NativeInt8Linear(LinearWeights weights, BackwardFailure failure, bool fullPrecisionGradient = false)
        : base(weights.Weight.Columns, weights.Weight.Rows)
    {
        if (weights.Weight.Scheme != QuantizationScheme.Rowwise || weights.Bias.Length != Outputs)
        {
            throw new ArgumentException($"The layer has {weights.Weight.Scheme} weights and {weights.Bias.Length} biases for {Outputs} outputs; int8 layers need row-wise weights and a bias for each.", nameof(weights));
        }
        _bias = weights.Bias;
        _failure = failure;
        _fullPrecisionGradient = fullPrecisionGradient;
        TorchThreads.Share();
        WeightMatrix rows = weights.Weight.InRows();
        fixed (float* absmax = weights.Weight.Scales)
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_create(Outputs, Inputs, (sbyte*)rows.Address, absmax, Math.Clamp(torch.get_num_threads(), 1, MaximumThreads), null, out _handle));
        }
        GC.KeepAlive(rows.Owner);
    }

    /// <summary>Whether the native kernels take a matrix of this shape.</summary>
    public static bool CanRun(WeightMatrix matrix) => matrix.Columns <= MaximumFeatures && matrix.Rows <= MaximumFeatures;

    public override torch.Tensor Forward(torch.Tensor x) => Product.apply(x, this);

    public override void Dispose() => _handle.Dispose();

    private torch.Tensor Run(torch.Tensor x)
    {
        using torch.Tensor input = x.contiguous();
        long rows = input.shape[0];
        torch.Tensor output = torch.empty(rows, Outputs, dtype: torch.ScalarType.Float32);
        fixed (float* from = Values(input), to = Values(output), bias = _bias)
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_forward(_handle, from, rows, 0, bias, 0, null, to));
        }
        return output;
    }

    private torch.Tensor InputGradient(torch.Tensor outputGradient)
    {
        using torch.Tensor gradient = outputGradient.contiguous();
        long rows = gradient.shape[0];
        torch.Tensor dx = torch.empty(rows, Inputs, dtype: torch.ScalarType.Float32);
        fixed (float* from = Values(gradient), to = Values(dx))
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_backward(_handle, from, rows, _fullPrecisionGradient ? 1 : 0, to));
        }
        return dx;
    }

    private static Span<float> Values(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private sealed class Product : torch.autograd.SingleTensorFunction<Product>
    {
        private const string LayerKey = "layer";

        public override string Name => nameof(NativeInt8Linear);

        public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
        {
            (torch.Tensor x, NativeInt8Linear layer) = ((torch.Tensor)vars[0], (NativeInt8Linear)vars[1]);
            ctx.save_data(LayerKey, layer);
            return layer.Run(x);
        }

        public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output)
        {
            var layer = (NativeInt8Linear)ctx.get_data(LayerKey);
            return [layer._failure.Guard(() => layer.InputGradient(grad_output), grad_output.shape[0], layer.Inputs), null!];
        }
    }
}
