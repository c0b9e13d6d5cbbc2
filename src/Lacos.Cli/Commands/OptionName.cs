using System.Text.RegularExpressions;

namespace Lacos.Cli.Commands;

/// <summary>Says of an error of the library which option of the command line it means.</summary>
internal static partial class OptionName
{
    // Options whose name is not that of the library with dashes.
    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["WarmupShare"] = "--warmup", ["MatryoshkaDimensions"] = "--matryoshka", ["MaximumTokenCount"] = "--max-tokens", ["EvaluateEvery"] = "--eval-every", ["LeaveOutValidationPairs"] = "--exclude-eval",
        ["BucketByLength"] = "--bucket", ["StopAtStep"] = "--stop-at", ["GpuDeviceId"] = "--gpu",
    };

    /// <summary>The message without .NET's addition, the option's name in place of the library's.</summary>
    public static string InMessage(ArgumentException error)
    {
        string message = error.Message.Replace($" (Parameter '{error.ParamName}')", "", StringComparison.Ordinal);
        return error.ParamName is { Length: > 0 } name && message.StartsWith(name, StringComparison.Ordinal) ? Of(name) + message[name.Length..] : message;
    }

    private static string Of(string name) => Others.GetValueOrDefault(name) ?? "--" + Word().Replace(name, "-$1").TrimStart('-').ToLowerInvariant();

    [GeneratedRegex("([A-Z])")]
    private static partial Regex Word();
}
