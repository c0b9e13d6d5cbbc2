using System.Diagnostics;
using Microsoft.ML.Lacos.Hub;

namespace Lacos.Cli.Tests;

/// <summary>The built tool as a process of its own, over the built-in model.</summary>
internal static class ToolProcess
{
    // SIGHUP and SIGINT.
    private const ulong Signals = 1UL | (1UL << 1);

    /// <summary>Starts the tool with all three streams redirected. Signals reach it, even where the tests ignore them themselves.</summary>
    public static Process Start(string workingFolder, params string[] arguments)
    {
        string[] command = [Dotnet, Path.Combine(AppContext.BaseDirectory, "lacos.dll"), .. arguments];
        return AreSignalsIgnored ? StartWith("env", workingFolder, ["--default-signal=HUP,INT", .. command]) : StartWith(command[0], workingFolder, command[1..]);
    }

    /// <summary>Runs the tool to its end with one of its streams going elsewhere, for example <c>2>/dev/full</c>.</summary>
    public static ToolRun RunRedirected(string redirection, string workingFolder, params string[] arguments)
    {
        using Process process = StartWith("/bin/sh", workingFolder, ["-c", $"exec \"$@\" {redirection}", "sh", Dotnet, Path.Combine(AppContext.BaseDirectory, "lacos.dll"), .. arguments]);
        process.StandardInput.Close();
        return Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    /// <summary>Runs the tool to its end.</summary>
    public static ToolRun Run(string workingFolder, string input, params string[] arguments)
    {
        return RunWith([], workingFolder, input, arguments);
    }

    /// <summary>Runs the tool to its end with variables of the environment.</summary>
    public static ToolRun RunWith((string Name, string Value)[] variables, string workingFolder, string input, params string[] arguments)
    {
        using Process process = StartWith(Dotnet, workingFolder, [Path.Combine(AppContext.BaseDirectory, "lacos.dll"), .. arguments], variables);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return Finish(process, output, error);
    }

    /// <summary>Runs the tool to its end in several processes that a launcher of MPI starts.</summary>
    public static ToolRun RunUnder(string launcher, int processes, string workingFolder, params string[] arguments)
    {
        // Of Open MPI: it refuses root and more processes than cores unless told, and would bind each to a core.
        (string, string)[] variables =
        [
            ("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("OMPI_MCA_hwloc_base_binding_policy", "none"),
            ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"), ("PRTE_MCA_hwloc_default_binding_policy", "none"),
        ];
        using Process process = StartWith(launcher, workingFolder, ["-n", $"{processes}", Dotnet, Path.Combine(AppContext.BaseDirectory, "lacos.dll"), .. arguments], variables);
        process.StandardInput.Close();
        return Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    /// <summary>Waits for a process, at most a minute.</summary>
    public static ToolRun Finish(Process process, Task<string> output, Task<string> error)
    {
        if (!process.WaitForExit(60_000))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("The tool did not end within a minute.");
        }
        process.WaitForExit();
        return new ToolRun(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    // A shell's background job ignores one, nohup the other, and what they start inherits that.
    private static bool AreSignalsIgnored =>
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is string ignored
        && (Convert.ToUInt64(ignored["SigIgn:".Length..].Trim(), 16) & Signals) != 0;

    private static string Dotnet => Environment.ProcessPath is string host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet";

    private static Process StartWith(string program, string workingFolder, string[] arguments, params (string Name, string Value)[] variables)
    {
        RequireDefaultModel();
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingFolder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    private static void RequireDefaultModel()
    {
        try
        {
            LacosModel.LoadDefault().Dispose();
        }
        catch (InvalidOperationException error)
        {
            Assert.Inconclusive($"Not run: {error.Message}");
        }
    }
}
