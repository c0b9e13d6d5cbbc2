using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Lacos.Benchmarks.Peers;

/// <summary>ONNX Runtime's int8 linear layer: DynamicQuantizeMatMul, which quantises its input as it comes and adds the bias.</summary>
internal sealed unsafe class OnnxLinear : IDisposable
{
    public static readonly string Version = OrtEnv.Instance().GetVersionString();

    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly OrtValue[] _input;
    private readonly OrtValue[] _outputs;
    private readonly string[] _outputNames;

    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="m">Rows of input of every call.</param>
    /// <param name="copies">Layers of a call, each with its own copy of the weights: one call runs all, one after the other.</param>
    /// <param name="codes">[rows, columns].</param>
    /// <param name="absmax">Scale of each row, times 127.</param>
    /// <param name="bias">[rows].</param>
    /// <param name="threads">Threads of a call.</param>
    /// <param name="input">[m, columns], read by every call.</param>
    /// <param name="output">[m, rows], written by every layer.</param>
    public OnnxLinear(int rows, int columns, int m, int copies, sbyte* codes, float[] absmax, float[] bias, int threads, float[] input, float[] output)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        _outputNames = [.. Enumerable.Range(0, copies).Select(copy => $"y{copy}")];
        _session = new InferenceSession(Export(rows, columns, codes, absmax, bias), options);
        _input = [OrtValue.CreateTensorValueFromMemory(input, [m, columns])];
        _outputs = [.. _outputNames.Select(_ => OrtValue.CreateTensorValueFromMemory(output, [m, rows]))];
    }

    /// <summary>Runs every copy once.</summary>
    public void Forward() => _session.Run(_options, ["x"], _input, _outputNames, _outputs);

    public void Dispose()
    {
        Array.ForEach([.. _input, .. _outputs], value => value.Dispose());
        _options.Dispose();
        _session.Dispose();
    }

    private byte[] Export(int rows, int columns, sbyte* codes, float[] absmax, float[] bias)
    {
        var transposed = new sbyte[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                transposed[(column * rows) + row] = codes[((long)row * columns) + column];
            }
        }
        using var onnx = new OnnxWriter();
        onnx.FloatInput("x", "m", columns);
        string scales = onnx.Constant([.. absmax.Select(value => value / 127)], rows);
        string zeros = onnx.Constant(new sbyte[rows], rows);
        string added = onnx.Constant(bias, rows);
        for (int copy = 0; copy < _outputNames.Length; copy++)
        {
            string output = _outputNames[copy];
            // ONNX Runtime would keep equal weights once, and read them from a cache.
            transposed[copy % transposed.Length] ^= 1;
            onnx.NamedMicrosoftNode(output, "DynamicQuantizeMatMul", ["x", onnx.Constant(transposed, columns, rows), scales, zeros, added]);
            onnx.FloatOutput(output, "m", rows);
        }
        return onnx.ToModel();
    }
}
