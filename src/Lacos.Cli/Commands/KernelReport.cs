using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Native;

namespace Lacos.Cli.Commands;

/// <summary>Every kernel set of the native library: whether it can run here, and what its instruction reaches on one thread.</summary>
internal sealed partial class KernelReport
{
    private const double Seconds = 0.2;

    private static readonly string[] Header = ["set", "int8 product", "tile", "instruction", "built", "CPU has it", "self-check", "chosen", "peak, GOPS"];
    private static readonly bool[] RightAligned = [false, false, false, false, false, false, false, false, true];

    private readonly NativeInfo _native;
    private readonly List<Line> _lines;

    private KernelReport(NativeInfo native, List<Line> lines)
    {
        _native = native;
        _lines = lines;
    }

    private static bool IsManaged => BloomEncoders.ManagedReason is not null;

    /// <summary>Measures each set that can run, for a fifth of a second.</summary>
    public static KernelReport Measure(NativeInfo native)
    {
        var lines = new List<Line>();
        foreach (NativeKernel kernel in native.Kernels)
        {
            // What is not built or not supported has never been checked.
            bool? passed = kernel.IsBuilt && kernel.IsSupported ? KernelProbe.CanRun(kernel.Name) : null;
            lines.Add(new Line(kernel, passed, passed == true ? KernelProbe.Int8Peak(kernel.Name, Seconds) / 1e9 : null));
        }
        return new KernelReport(native, lines);
    }

    /// <summary>The report for people.</summary>
    public IEnumerable<string> Lines()
    {
        if (!_native.IsAvailable)
        {
            yield return $"The managed encoder runs; there are no native kernels: {_native.UnavailableReason}";
            yield break;
        }
        yield return $"{_native.CpuName}; {_native.CpuFeatures}";
        yield return IsManaged ? $"The managed encoder runs: {BloomEncoders.ManagedReason}." : $"{_native.ChosenKernel} runs: {_native.ChosenReason}.";
        yield return "";
        foreach (string line in TextTable.Lines(Header, RightAligned, [.. _lines.Select(Cells)]))
        {
            yield return line;
        }
        yield return "";
        yield return "Peak: int8 multiply-adds from registers on one thread, two operations each, measured just now; a machine at work gives less. scalar has no instruction to measure.";
    }

    /// <summary>The report for programs.</summary>
    public JsonArray ToJson() => new([.. _lines.Select(line => (JsonNode)new JsonObject
    {
        ["name"] = line.Kernel.Name,
        ["gemm"] = line.Kernel.Gemm,
        ["tile"] = Tile(line.Kernel),
        ["instruction"] = Instruction(line.Kernel),
        ["built"] = line.Kernel.IsBuilt,
        ["supported"] = line.Kernel.IsSupported,
        ["self_check_passed"] = line.PassedSelfCheck,
        ["chosen"] = IsChosen(line.Kernel),
        ["int8_peak_gops"] = line.Gops,
        ["state"] = line.Kernel.State,
    })]);

    private string[] Cells(Line line) =>
    [
        line.Kernel.Name,
        line.Kernel.Gemm.Length > 0 ? line.Kernel.Gemm : "-",
        Tile(line.Kernel) ?? "-",
        Instruction(line.Kernel),
        YesNo(line.Kernel.IsBuilt),
        YesNo(line.Kernel.IsSupported),
        line.PassedSelfCheck switch { true => "passed", false => "failed", null => "not run" },
        IsChosen(line.Kernel) ? "yes" : "",
        line.Gops?.ToString("F0", CultureInfo.InvariantCulture) ?? "-",
    ];

    private bool IsChosen(NativeKernel kernel) => !IsManaged && kernel.Name == _native.ChosenKernel;

    private static string YesNo(bool value) => value ? "yes" : "no";

    // The product's name tells its tile: qd8_f32_qc8w_gemm_<rows>x<columns>_<set>.
    private static string? Tile(NativeKernel kernel) => TilePattern().Match(kernel.Gemm) is { Success: true } match ? $"{match.Groups[1].Value} x {match.Groups[2].Value}" : null;

    private static string Instruction(NativeKernel kernel) => kernel.Description.Split(", tile ")[0];

    [GeneratedRegex(@"_gemm_(\d+)x(\d+)_")]
    private static partial Regex TilePattern();

    private sealed record Line(NativeKernel Kernel, bool? PassedSelfCheck, double? Gops);
}
