using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Microsoft.ML.Lacos.Benchmarks.Results;

namespace Microsoft.ML.Lacos.Benchmarks.MlNet;

/// <summary>The same ways as <see cref="PipelineTable"/> by BenchmarkDotNet: one after the other instead of in turns, with deviation and allocated memory.</summary>
internal static class DotNetTable
{
    // Beside the iterations: one to warm up, one of the memory diagnoser, and what BenchmarkDotNet takes to compile.
    private const int OtherCalls = 8;

    public static void Run(int rows, int turns, int threads)
    {
        PipelineBenchmarks.Rows = rows;
        PipelineBenchmarks.Calls = turns + OtherCalls;
        PipelineBenchmarks.Threads = threads;
        var log = new LogCapture();
        Job job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithStrategy(RunStrategy.Monitoring).WithWarmupCount(1).WithIterationCount(turns).WithInvocationCount(1).WithUnrollFactor(1);
        ManualConfig config = ManualConfig.CreateEmpty().AddJob(job).AddDiagnoser(MemoryDiagnoser.Default).AddLogger(log).WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "lacos-benchmarks"));
        Summary summary = BenchmarkRunner.Run<PipelineBenchmarks>(config);
        if (summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success))
        {
            throw new InvalidOperationException("BenchmarkDotNet did not measure everything: " + string.Concat(log.CapturedOutput.Where(line => line.Kind == LogKind.Error).Select(line => line.Text)));
        }

        var table = new ResultTable(
            "mlnet-dotnet", $"BenchmarkDotNet: default model, {rows:N0} short sentences a call, none seen before, {threads} threads, median of {turns} calls", "way",
            Column.Rate("rows/s"), Column.Share("deviation"), Column.Ratio("of the encoder"), new Column("allocated a row, bytes", "#,0"));
        double? direct = null;
        foreach (BenchmarkReport report in summary.Reports)
        {
            string way = report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
            int taken = report.BenchmarkCase.Descriptor.WorkloadMethod.Name == nameof(PipelineBenchmarks.OnnxRowByRow) ? PipelineWorkloads.OnnxRowsOf(rows) : rows;
            double rate = taken / (report.ResultStatistics!.Median * 1e-9);
            direct ??= rate;
            table.Add(way, rate, report.ResultStatistics.StandardDeviation / report.ResultStatistics.Mean, rate / direct, (double?)report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) / taken);
        }
        table.Write();
    }
}
