using System.Text.RegularExpressions;
using Lacos.Cli.Input;

namespace Lacos.Cli.Commands;

/// <summary>Says of a message of the library which option of the command line it means.</summary>
internal static partial class OptionName
{
    // Options whose name is not that of the library with dashes.
    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["WarmupShare"] = "--warmup", ["MatryoshkaDimensions"] = "--matryoshka", ["MaximumTokenCount"] = "--max-tokens", ["EvaluateEvery"] = "--eval-every", ["LeaveOutValidationPairs"] = "--exclude-eval",
        ["BucketByLength"] = "--bucket", ["StopAtStep"] = "--stop-at", ["GpuDeviceId"] = "--gpu", ["Dimension"] = "--dim", ["ThreadCount"] = "--threads",
        ["RankStabilized"] = "--rslora", ["MaximumGradientNorm"] = "--max-grad-norm", ["blockSize"] = "--block-size",
        ["Sentence2Prompt"] = "--second-prompt", ["Sentence2PromptName"] = "--second-prompt-name",
    };

    // What the tool says in other words than the library.
    private static readonly (string Library, string Tool)[] Phrases =
    [
        ("Set FallbackToCpu to train on the CPU, or leave GpuDeviceId null.", "Leave --gpu out to train on the CPU."),
        ("the package TorchSharp-cuda-linux or TorchSharp-cuda-windows in place of a libtorch-cpu package", "a tool that was built with -p:LacosTorch=cuda"),
        ("Resume it, or name another folder.", "Continue it with --resume, or give --output another name."),
        ("Precision BFloat16", "--precision bfloat16"),
        ("choose LongText.Truncate or LongText.Window", "choose --long-text truncate or window"),
        (" (LeaveOutValidationPairs, --exclude-eval)", " with --exclude-eval"),
        ($" in column '{nameof(TrainingPair.Label)}'", ""),
        ($"Schema mismatch for label column '{TrainingData.TeacherPrefix}", "--data has the teacher '"),
        ("Make it with ApplySentenceEmbedding and a model of that width, or with its Dimension.", "Give another model as teacher=, one whose vectors have that length."),
        .. DataArgument.Losses.Select(entry => ($"or choose {entry.Loss}", $"or choose the loss {entry.Name}")),
        .. DataArgument.Losses.Select(entry => ($"the loss {entry.Loss}", $"the loss {entry.Name}")),
    ];

    /// <summary>The message without .NET's additions, the option's name in place of the library's.</summary>
    public static string InMessage(ArgumentException error)
    {
        string message = Additions().Replace(error.Message, "");
        return error.ParamName is { Length: > 0 } name && message.StartsWith(name, StringComparison.Ordinal) ? Of(name) + InText(message[name.Length..]) : InText(message);
    }

    /// <summary>The message with the names of the command line in place of the library's.</summary>
    public static string InText(string message)
    {
        foreach ((string library, string tool) in Phrases)
        {
            message = message.Replace(library, tool, StringComparison.Ordinal);
        }
        return Named().Replace(message, match => Of(match.Value));
    }

    private static string Of(string name) => Others.GetValueOrDefault(name) ?? "--" + Word().Replace(name, "-$1").TrimStart('-').ToLowerInvariant();

    [GeneratedRegex("([A-Z])")]
    private static partial Regex Word();

    // Not within a path, nor within a longer word.
    [GeneratedRegex(@"(?<![\w/\\.'-])(MaximumTokenCount|MatryoshkaDimensions|LearningRate|WeightDecay|ActivationMemory|PairsPerText|GpuDeviceId|Sentence2Prompt)(?![\w/\\'-])")]
    private static partial Regex Named();

    [GeneratedRegex(@" \(Parameter '[^']*'\)(\r?\nActual value was .*)?$", RegexOptions.Singleline)]
    private static partial Regex Additions();
}
