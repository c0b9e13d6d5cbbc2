using System.CommandLine;
using Microsoft.ML.Lacos.Benchmarks;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;
using Spectre.Console;

var peers = new Option<bool>("--peers") { Description = "Compare whole encoders with ONNX Runtime int8 and TorchSharp bf16 and fp32." };
var kernels = new Option<bool>("--kernels") { Description = "Measure the int8 linear layer against the machine's peak and bandwidth." };
var training = new Option<bool>("--training") { Description = "A step of LoRA training over int8, bf16 and fp32 layers." };
var large = new Option<bool>("--large") { Description = "One step of LoRA training of the bloom-7b1 shape; needs 14 GiB." };
var steps = new Option<int>("--steps") { Description = "Steps of training that are timed, after one that is not.", DefaultValueFactory = _ => 3 };
var quick = new Option<bool>("--quick") { Description = "Fewer shapes and turns; done in two minutes." };
var threads = new Option<int>("--threads") { Description = "Threads of every engine.", DefaultValueFactory = _ => NativeInfo.Get().DefaultThreadCount };
var texts = new Option<FileInfo?>("--texts") { Description = "Encode the lines of this file with the default model, text to vector, beside the peers." };
var command = new RootCommand("Speed of LACoS beside its peers. Ratios are taken in one run; leave the machine alone meanwhile.") { peers, kernels, training, large, steps, quick, threads, texts };
command.SetAction(arguments =>
{
    NativeInfo native = NativeInfo.Get();
    if (!native.IsAvailable)
    {
        Console.Error.WriteLine($"The native library is not available: {native.UnavailableReason}. There is nothing to measure.");
        return 1;
    }
    bool isQuick = arguments.GetValue(quick);
    int count = arguments.GetValue(threads);
    double seconds = isQuick ? 0.5 : 5;
    AnsiConsole.MarkupLineInterpolated($"{native.CpuName}; kernels {native.ChosenKernel}; int8 peak {Hardware.Int8Peak(count):F0} GOPS, read bandwidth {Hardware.ReadBandwidth(count):F1} GB/s with {count} threads");
    FileInfo? file = arguments.GetValue(texts);
    if (file is not null)
    {
        TextsTable.Run(file.FullName, count, seconds);
    }
    bool all = file is null && !arguments.GetValue(peers) && !arguments.GetValue(kernels) && !arguments.GetValue(training) && !arguments.GetValue(large);
    if (all || arguments.GetValue(kernels))
    {
        KernelTable.Run(count, isQuick ? 0.1 : 0.5, isQuick);
    }
    if (all || arguments.GetValue(peers))
    {
        EncoderTable.Run("bloom-mini", EncoderTable.BloomMini, Batches(EncoderTable.BloomMini.VocabularySize), count, seconds);
        if (!isQuick)
        {
            EncoderTable.Run("bloom-560m", EncoderTable.Bloom560m, Batches(EncoderTable.Bloom560m.VocabularySize), count, seconds);
        }
    }
    if (arguments.GetValue(training))
    {
        TrainingTable.Run(isQuick ? "bloom-mini" : "bloom-560m", isQuick ? EncoderTable.BloomMini : EncoderTable.Bloom560m with { VocabularySize = 250880 }, count, arguments.GetValue(steps));
    }
    if (arguments.GetValue(large))
    {
        TrainingTable.RunOnce("bloom-7b1", new BloomConfig(4096, 30, 32, 250880), count, 8);
    }
    return 0;
});
return command.Parse(args).Invoke();

static List<(string Name, TokenRows Rows)> Batches(int vocabulary) =>
[
    ("1 x 20", TokenRows.Random(1, 20, vocabulary)),
    ("8 x 20", TokenRows.Random(8, 20, vocabulary)),
    ("32 x 20", TokenRows.Random(32, 20, vocabulary)),
    ("32 x 128", TokenRows.Random(32, 128, vocabulary)),
];
