using System.CommandLine;
using System.Globalization;
using Microsoft.ML.Lacos.Benchmarks.Kernels;
using Microsoft.ML.Lacos.Benchmarks.Latency;
using Microsoft.ML.Lacos.Benchmarks.Memory;
using Microsoft.ML.Lacos.Benchmarks.MlNet;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Microsoft.ML.Lacos.Benchmarks.StartUp;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Spectre.Console;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>The command line: which tables, how thoroughly, and where they go.</summary>
internal static class BenchmarkCommand
{
    private static readonly Option<bool> Peers = new("--peers") { Description = "Whole encoders beside ONNX Runtime int8, llama.cpp Q8_0, and TorchSharp bf16 and fp32." };
    private static readonly Option<bool> Kernels = new("--kernels") { Description = "The int8 linear layer against the machine's peak and bandwidth, beside oneDNN and ONNX Runtime." };
    private static readonly Option<FileInfo?> Texts = new("--texts") { Description = "Encode the lines of this file with the default model, text to vector, beside the peers." };
    private static readonly Option<bool> MlNet = new("--mlnet") { Description = "Rows a second through Transform and a cursor, beside the encoder alone, FeaturizeText and ONNX Runtime row by row." };
    private static readonly Option<bool> DotNet = new("--dotnet") { Description = "The same as --mlnet by BenchmarkDotNet, with allocated memory." };
    private static readonly Option<bool> Latency = new("--latency") { Description = "p50 and p99 of one short sentence a call, from 1, 2, 8 and 32 callers." };
    private static readonly Option<bool> StartUp = new("--startup") { Description = "Time of a process that makes one vector, beside an empty one." };
    private static readonly Option<bool> Memory = new("--memory") { Description = "Memory of two processes with the same model open." };
    private static readonly Option<bool> Training = new("--training") { Description = "A step of LoRA training over int8, bf16 and fp32 layers." };
    private static readonly Option<bool> Large = new("--large") { Description = "One step of LoRA training of the bloom-7b1 shape; takes about 8 GiB." };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Steps of training that are timed, after one that is not; 3 without it." };
    private static readonly Option<string?> Only = new("--shape") { Description = "--peers and --kernels: this shape only." };
    private static readonly Option<bool> Quick = new("--quick") { Description = "Fewer shapes and turns; done in two minutes." };
    private static readonly Option<bool> Smoke = new("--smoke") { Description = "Everything once, on almost nothing: shows that the program works, and no speed." };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads of every engine.", DefaultValueFactory = _ => NativeInfo.Get().DefaultThreadCount };
    private static readonly Option<DirectoryInfo?> Output = new("--output") { Description = "Also write each table to this folder, as Markdown and as a picture." };

    public static int Run(string[] arguments)
    {
        Only.AcceptOnlyFromAmong([.. Shape.All.Select(shape => shape.Name)]);
        var command = new RootCommand("Speed of LACoS beside its peers. Ratios are taken in one run; leave the machine alone meanwhile. Without a choice: --kernels --peers.")
        {
            Peers, Kernels, Texts, MlNet, DotNet, Latency, StartUp, Memory, Training, Large, Steps, Only, Quick, Smoke, Threads, Output,
        };
        command.SetAction(Measure);
        return command.Parse(arguments).Invoke();
    }

    private static int Measure(ParseResult arguments)
    {
        NativeInfo native = NativeInfo.Get();
        if (!native.IsAvailable)
        {
            Console.Error.WriteLine($"The native library is not available: {native.UnavailableReason}. There is nothing to measure.");
            return 1;
        }
        bool isSmoke = arguments.GetValue(Smoke);
        Sizes sizes = isSmoke ? Sizes.Smoke : arguments.GetValue(Quick) ? Sizes.Quick : Sizes.Full;
        if (arguments.GetValue(Only) is string only)
        {
            sizes = sizes.Of(Shape.All.Single(shape => shape.Name == only));
        }
        Hardware.IsBrief = Interleaved.IsBrief = isSmoke;
        ResultTable.Output = arguments.GetValue(Output);
        int threads = arguments.GetValue(Threads);
        AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{Machine.Description}; int8 peak {Hardware.Int8Peak(threads):F0} GOPS, read bandwidth {Hardware.ReadBandwidth(threads):F1} GB/s with {threads} threads");
        WriteTables(arguments, sizes, threads);
        Aims.Write();
        return 0;
    }

    private static void WriteTables(ParseResult arguments, Sizes sizes, int threads)
    {
        FileInfo? texts = arguments.GetValue(Texts);
        bool isUnnamed = texts is null && !new[] { Peers, Kernels, MlNet, DotNet, Latency, StartUp, Memory, Training, Large }.Any(arguments.GetValue);
        // First, because its peak of memory is that of the process.
        if (arguments.GetValue(Training))
        {
            TrainingTable.Run(sizes.Training, threads, arguments.GetValue(Steps) ?? sizes.TrainingSteps);
        }
        if (arguments.GetValue(Large))
        {
            TrainingTable.RunOnce("bloom-7b1", new BloomConfig(4096, 30, 32, 250880), threads, 8);
        }
        if (arguments.GetValue(StartUp))
        {
            StartUpTable.Run(sizes.StartUpTurns);
        }
        if (arguments.GetValue(Memory))
        {
            MemoryTable.Run(sizes.Memory);
        }
        if (arguments.GetValue(MlNet))
        {
            PipelineTable.Run(sizes.PipelineRows, sizes.PipelineTurns, threads);
        }
        if (arguments.GetValue(DotNet))
        {
            DotNetTable.Run(sizes.DotNetRows, sizes.DotNetTurns, threads);
        }
        if (arguments.GetValue(Latency))
        {
            LatencyTable.Run(sizes.Callers, sizes.LatencySeconds, threads);
        }
        if (texts is not null)
        {
            TextsTable.Run(texts.FullName, threads, sizes.Seconds);
        }
        if (isUnnamed || arguments.GetValue(Kernels))
        {
            KernelTable.Run(sizes.Layers, threads, sizes.Kernels);
        }
        if (isUnnamed || arguments.GetValue(Peers))
        {
            foreach (Shape shape in sizes.Shapes)
            {
                EncoderTable.Run(shape, EncoderBatches.For(shape.Config), threads, sizes.Seconds);
            }
        }
    }
}
