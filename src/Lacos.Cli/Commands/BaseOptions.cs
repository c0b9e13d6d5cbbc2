using System.CommandLine;
using Microsoft.ML;
using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Quantization;

namespace Lacos.Cli.Commands;

/// <summary>Options of what stands still while training: how the base is held, where it runs and with how much memory, and the adapter from which training starts.</summary>
internal sealed class BaseOptions
{
    private static readonly (string Name, QuantizationScheme? Scheme)[] Schemes =
    [
        ("own", null), ("rowwise", QuantizationScheme.Rowwise), ("blockwise-dynamic", QuantizationScheme.BlockwiseDynamic),
        ("blockwise-linear", QuantizationScheme.BlockwiseLinear), ("float32", QuantizationScheme.None),
    ];

    private static readonly string[] Precisions = ["float32", "bfloat16"];

    private readonly Option<string> _scheme = ModelOptions.Choice("--base-scheme", "How the base's weights are held; other than the file's own needs a model folder", [.. Schemes.Select(entry => entry.Name)]);
    private readonly Option<string?> _adapter = new("--adapter") { Description = "Start from this PEFT adapter, with its rank, alpha and targets; teacher=base stays the base without it", HelpName = "folder" };
    private readonly Option<int?> _gpu = new("--gpu") { Description = "Train on this CUDA device, from 0; the tool must be built with -p:LacosTorch=cuda", HelpName = "N" };
    private readonly Option<long?> _activationMemory = ByteSize.Option("--activation-memory", "Memory for activations that a step keeps for its way back, such as 2GiB; blocks beyond it are computed again, with the same gradients. Default: half of what is free");
    private readonly Option<string> _precision = ModelOptions.Choice("--precision", "Type of torch's products over 8-bit weights, on a GPU or block-wise", Precisions);

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="shape">Options of the adapter's shape, which an adapter to start from has already.</param>
    public void AddTo(Command command, params Option[] shape)
    {
        foreach (Option option in new Option[] { _scheme, _adapter, _gpu, _precision, _activationMemory })
        {
            command.Options.Add(option);
        }
        ModelOptions.Bounded(_gpu, value => value >= 0, "the number of a CUDA device, from 0; leave it out to train on the CPU");
        command.Validators.Add(result =>
        {
            if (result.GetResult(_adapter) is not null && shape.FirstOrDefault(option => result.GetResult(option) is not null) is Option other)
            {
                result.AddError($"{other.Name} and --adapter contradict each other: the adapter has its shape already. Give one of them.");
            }
        });
    }

    /// <summary>Makes the context: a GPU that was asked for and is not there is an error.</summary>
    public MLContext Context(ParseResult parse) => new() { GpuDeviceId = parse.GetValue(_gpu), FallbackToCpu = false };

    /// <summary>Takes the command line over.</summary>
    public void Set(LacosBloomTrainer.Options options, ParseResult parse)
    {
        options.BaseScheme = Array.Find(Schemes, entry => entry.Name == parse.GetValue(_scheme)).Scheme;
        options.ActivationMemory = parse.GetValue(_activationMemory) ?? options.ActivationMemory;
        options.Adapter = parse.GetValue(_adapter);
        options.Precision = (TrainingPrecision)Array.IndexOf(Precisions, parse.GetValue(_precision));
    }
}
