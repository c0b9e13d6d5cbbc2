using System.Diagnostics;
using System.Reflection;

namespace Lacos.Native.Tests;

/// <summary>A native test executable that the build made beside the native library.</summary>
internal sealed class GoogleTestExecutable
{
    private const int TimeLimitMilliseconds = 300_000;

    private GoogleTestExecutable(string suffix)
    {
        string path = typeof(GoogleTestExecutable).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "GoogleTestExecutable").Value!;
        Path = path + suffix + (OperatingSystem.IsWindows() ? ".exe" : string.Empty);
    }

    /// <summary>All tests, with the kernels that this CPU can run.</summary>
    public static GoogleTestExecutable Hardware { get; } = new(string.Empty);

    /// <summary>The same tests, with AMX, AVX-512 and AVX-VNNI in plain C++.</summary>
    public static GoogleTestExecutable Emulated { get; } = new("_emulated");

    public string Path { get; }

    public bool IsBuilt => File.Exists(Path);

    /// <summary>Suites in the order of the executable; a suite's name stands at the start of a line and ends with a dot.</summary>
    public IEnumerable<string> Suites() =>
        Run("--gtest_list_tests").Output.Split('\n').Where(line => line.Length > 0 && !char.IsWhiteSpace(line[0])).Select(line => line.Split('#')[0].Trim()).Where(line => line.EndsWith('.')).Select(line => line[..^1]);

    public (int ExitCode, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // What the person running the tests has set must not decide which kernels are tested.
        start.Environment.Remove("LACOS_FORCE_ISA");
        start.Environment.Remove("LACOS_NUM_THREADS");
        start.Environment.Remove("DOTNET_PROCESSOR_COUNT");
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeLimitMilliseconds))
        {
            process.Kill();
            return (-1, $"{output.Result}\nStopped after {TimeLimitMilliseconds / 1000} s.");
        }
        return (process.ExitCode, output.Result + error.Result);
    }
}
