using BenchmarkDotNet.Attributes;

namespace Microsoft.ML.Lacos.Benchmarks.MlNet;

/// <summary>The ways from texts to vectors as BenchmarkDotNet runs them: a call an iteration, and never the same texts twice.</summary>
public class PipelineBenchmarks
{
    private PipelineWorkloads? _workloads;
    private int _turn;

    /// <summary>Rows of a call; set before the run, which is in this process.</summary>
    internal static int Rows { get; set; }

    /// <summary>Calls at most.</summary>
    internal static int Calls { get; set; }

    internal static int Threads { get; set; }

    [GlobalSetup]
    public void Open() => _workloads = new PipelineWorkloads(Rows, Calls, Threads);

    // The transformer remembers texts: one seen before would cost nothing.
    [IterationSetup]
    public void NextTexts() => _turn = _turn + 1 < Calls ? _turn + 1 : throw new InvalidOperationException($"More than {Calls} calls; make more sets of texts.");

    [Benchmark(Baseline = true, Description = "SentenceEncoder")]
    public void Direct() => _workloads!.Direct(_turn);

    [Benchmark(Description = "Transform + cursor")]
    public void Transform() => _workloads!.Transform(_turn);

    [Benchmark(Description = "ONNX int8, row by row")]
    public void OnnxRowByRow() => _workloads!.OnnxRowByRow(_turn);

    [Benchmark(Description = "FeaturizeText")]
    public void FeaturizeText() => _workloads!.FeaturizeText(_turn);

    [GlobalCleanup]
    public void Close() => _workloads!.Dispose();
}
