using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Native;

namespace Lacos.Cli.Commands;

/// <summary><c>lacos info</c>: which processor, which kernels and why, which model.</summary>
internal sealed class InfoCommand(ToolStreams streams)
{
    private static readonly JsonSerializerOptions JsonOptions = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Option<string?> _model = new("--model", "-m") { Description = "A .lacos file or a model folder; without it the built-in model", HelpName = "path" };
    private readonly Option<bool> _json = new("--json") { Description = "As JSON" };
    private readonly Option<bool> _kernels = new("--kernels") { Description = "Only the kernels: which are built, which this CPU has, which runs, and the int8 peak of each, measured" };

    /// <summary>Makes the command.</summary>
    public Command Create()
    {
        var command = new Command("info", "Show the processor, the kernels in use and why, and a model.");
        command.Options.Add(_model);
        command.Options.Add(_json);
        command.Options.Add(_kernels);
        command.SetAction((parse, cancellationToken) => Task.FromResult(Run(parse)));
        return command;
    }

    private int Run(ParseResult parse)
    {
        NativeInfo native = NativeInfo.Get();
        if (parse.GetValue(_kernels))
        {
            WriteKernels(native, parse.GetValue(_json));
            return ExitCode.Success;
        }
        string? path = parse.GetValue(_model);
        ModelSummary? summary = null;
        string? modelProblem = null;
        try
        {
            summary = new ModelSummary(path is null ? LacosModel.LoadDefault() : LacosModel.Load(path));
        }
        catch (InvalidOperationException error) when (path is null)
        {
            // A build without the built-in model still has a processor to tell of.
            modelProblem = error.Message;
        }
        using LacosModel? model = summary?.Model;
        if (parse.GetValue(_json))
        {
            streams.WriteLine(Json(native, summary).ToJsonString(JsonOptions));
            return ExitCode.Success;
        }
        WriteMachine(native);
        WriteModel(summary, modelProblem, path);
        return ExitCode.Success;
    }

    private void WriteKernels(NativeInfo native, bool json)
    {
        KernelReport report = KernelReport.Measure(native);
        foreach (string line in json ? [report.ToJson().ToJsonString(JsonOptions)] : report.Lines())
        {
            streams.WriteLine(line);
        }
    }

    private void WriteMachine(NativeInfo native)
    {
        streams.WriteLine($"lacos        {Version}");
        streams.WriteLine($"runtime      {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.OSDescription}");
        if (native.IsAvailable)
        {
            streams.WriteLine($"processor    {native.CpuName}");
            streams.WriteLine($"features     {native.CpuFeatures}");
            streams.WriteLine($"native       {native.Path} (ABI {native.AbiVersion})");
        }
        else
        {
            streams.WriteLine($"native       not in use: {native.UnavailableReason}");
        }
        streams.WriteLine($"kernels      {Kernels(native)}");
        foreach (NativeKernel kernel in native.Kernels)
        {
            streams.WriteLine($"  {kernel.Name,-11}{kernel.State}; {kernel.Description}");
        }
        streams.WriteLine(native.IsAvailable ? $"threads      {native.DefaultThreadCount} ({native.ThreadCountReason})" : $"threads      {EncoderThreads.Resolve(0)}");
    }

    private void WriteModel(ModelSummary? summary, string? problem, string? path)
    {
        if (summary is null)
        {
            streams.WriteLine($"model        none: {problem}");
            return;
        }
        streams.WriteLine($"model        {summary.Name}{(path is null ? " (built in)" : "")}, {summary.Shape}");
        streams.WriteLine($"weights      {summary.Storage}");
        streams.WriteLine($"settings     {summary.Settings}");
        if (summary.Prompts is { Length: > 0 } prompts)
        {
            streams.WriteLine($"prompts      {prompts}");
        }
        streams.WriteLine($"license      {summary.License}");
        streams.WriteLine($"fingerprint  {summary.Model.Fingerprint}");
        foreach (string line in LanguageTable.Lines(summary.Model))
        {
            streams.WriteLine(line);
        }
    }

    private static string Kernels(NativeInfo native) => BloomEncoders.ManagedReason is string reason ? $"managed: {reason}" : $"{native.ChosenKernel} ({native.ChosenReason})";

    private static JsonObject Json(NativeInfo native, ModelSummary? summary) => new()
    {
        ["version"] = Version,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["platform"] = RuntimeInformation.RuntimeIdentifier,
        ["operating_system"] = RuntimeInformation.OSDescription,
        ["native"] = new JsonObject
        {
            ["available"] = native.IsAvailable,
            ["path"] = native.Path,
            ["unavailable_reason"] = native.UnavailableReason,
            ["abi_version"] = native.AbiVersion,
            ["cpu"] = native.CpuName,
            ["cpu_features"] = native.CpuFeatures,
            ["chosen_kernel"] = native.ChosenKernel,
            ["chosen_reason"] = native.ChosenReason,
            ["threads"] = native.DefaultThreadCount,
            ["threads_reason"] = native.ThreadCountReason,
            ["kernels"] = new JsonArray([.. native.Kernels.Select(Kernel)]),
        },
        ["managed_reason"] = BloomEncoders.ManagedReason,
        ["model"] = summary?.ToJson(),
    };

    private static JsonNode Kernel(NativeKernel kernel) => new JsonObject
    {
        ["name"] = kernel.Name,
        ["description"] = kernel.Description,
        ["requirement"] = kernel.Requirement,
        ["gemm"] = kernel.Gemm,
        ["built"] = kernel.IsBuilt,
        ["supported"] = kernel.IsSupported,
        ["default"] = kernel.IsDefault,
        ["state"] = kernel.State,
        ["panels"] = kernel.Panels is { } panels ? new JsonObject { ["width"] = panels.Width, ["group"] = panels.Group, ["flip"] = panels.Flip } : null,
    };

    private static string Version => typeof(InfoCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
