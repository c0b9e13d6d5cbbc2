using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Benchmarks.Kernels;

/// <summary>Copies of one native int8 linear layer, each with its own packed weights.</summary>
internal sealed unsafe class LacosLayers : IDisposable
{
    private readonly NativeInt8LinearHandle[] _layers;

    public LacosLayers(WeightMatrix matrix, int copies, int threads)
    {
        _layers = new NativeInt8LinearHandle[copies];
        fixed (float* absmax = matrix.Scales)
        {
            for (int copy = 0; copy < copies; copy++)
            {
                NativeMethods.Check(NativeMethods.lacos_int8_linear_create(matrix.Rows, matrix.Columns, (sbyte*)matrix.Data, absmax, threads, null, out _layers[copy]));
            }
        }
    }

    public void Forward(int call, float[] input, int m, float[] bias, float[] output)
    {
        fixed (float* x = input, b = bias, y = output)
        {
            NativeMethods.Check(NativeMethods.lacos_int8_linear_forward(_layers[call % _layers.Length], x, m, 0, b, 0, null, y));
        }
    }

    public void Dispose() => Array.ForEach(_layers, layer => layer.Dispose());
}
