using System.Reflection;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>oneDNN's int8 product as a linear layer; quantising, dequantising and bias included, reordering the weights not.</summary>
internal sealed unsafe class OneDnnLinear : IDisposable
{
    private const string Library = "lacos_onednn";
    private readonly int _copies;
    private nint _layer;

    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="m">Rows of input of every call.</param>
    /// <param name="copies">Copies of the weights, through which calls rotate.</param>
    /// <param name="codes">[rows, columns].</param>
    /// <param name="absmax">Scale of each row, times 127.</param>
    /// <param name="bias">[rows].</param>
    /// <param name="threads">Threads of a call.</param>
    public OneDnnLinear(int rows, int columns, int m, int copies, sbyte* codes, float[] absmax, float[] bias, int threads)
    {
        _copies = copies;
        fixed (float* scales = absmax, b = bias)
        {
            _layer = onednn_linear_create(rows, columns, m, copies, codes, scales, b, threads);
        }
        if (_layer == 0)
        {
            throw new InvalidOperationException($"oneDNN {Version} made no layer of {rows} x {columns} for {m} rows: {Text(onednn_linear_error())}");
        }
    }

    /// <summary>Such as "2.6.3"; <see langword="null"/> where the build found no oneDNN.</summary>
    public static string? Version { get; } = NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), null, out _) ? Text(onednn_linear_version()) : null;

    /// <summary>How tables call it.</summary>
    public static string Name => Version is null ? "oneDNN: not installed (package libdnnl-dev)" : $"oneDNN {Version}";

    /// <summary>The implementation that oneDNN chose.</summary>
    public string Kernel => Text(onednn_linear_kernel(_layer));

    public void Forward(int turn, float[] input, float[] output)
    {
        fixed (float* x = input, y = output)
        {
            if (onednn_linear_forward(_layer, turn % _copies, x, y) != 0)
            {
                throw new InvalidOperationException($"oneDNN {Version} failed: {Text(onednn_linear_error())}");
            }
        }
    }

    public void Dispose()
    {
        onednn_linear_destroy(_layer);
        _layer = 0;
    }

    private static string Text(nint text) => Marshal.PtrToStringUTF8(text) ?? "";

    [DllImport(Library)]
    private static extern nint onednn_linear_version();

    [DllImport(Library)]
    private static extern nint onednn_linear_error();

    [DllImport(Library)]
    private static extern nint onednn_linear_create(int n, int k, int m, int copies, sbyte* codes, float* absmax, float* bias, int threads);

    [DllImport(Library)]
    private static extern int onednn_linear_forward(nint linear, int copy, float* x, float* y);

    [DllImport(Library)]
    private static extern nint onednn_linear_kernel(nint linear);

    [DllImport(Library)]
    private static extern void onednn_linear_destroy(nint linear);
}
