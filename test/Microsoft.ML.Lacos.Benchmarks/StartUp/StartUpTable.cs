using System.Diagnostics;
using Microsoft.ML.Lacos.Benchmarks.Results;
using Spectre.Console;

namespace Microsoft.ML.Lacos.Benchmarks.StartUp;

/// <summary>From the start of a process to its end: an empty program, and one that turns one sentence into a vector with the default model.</summary>
internal static class StartUpTable
{
    // What an empty program has beside it: no dependencies.
    private const string NoDependencies = """{"runtimeTarget":{"name":".NETCoreApp,Version=v10.0"},"compilationOptions":{},"targets":{".NETCoreApp,Version=v10.0":{}},"libraries":{}}""";

    public static void Run(int turns)
    {
        string emptyDependencies = Path.GetTempFileName();
        try
        {
            File.WriteAllText(emptyDependencies, NoDependencies);
            string stages = "";
            double[] medians = Interleaved.Medians([_ => Start("nothing", emptyDependencies), _ => stages = Start(StartUpChild.Encode, null)], seconds: 0, leastTurns: turns);
            double bar = (1.5 * medians[0]) + 0.3;
            var table = new ResultTable("startup", $"Whole life of a process, median of {turns}", "program", Column.Milliseconds("time"), Column.Ratio("of the bar"));
            table.Add("empty", medians[0], null);
            table.Add("one vector, default model", medians[1], medians[1] / bar);
            table.Add("bar: 1.5 x empty + 0.3 s", bar, 1);
            table.Write();
            Aims.AtMost("first vector of the default model from the start of a process: times 1.5 x an empty one + 0.3 s", 1, medians[1] / bar);
            AnsiConsole.MarkupLineInterpolated($"Last one-vector process: {stages}");
        }
        finally
        {
            File.Delete(emptyDependencies);
        }
    }

    private static string Start(string what, string? dependencies)
    {
        string program = typeof(StartUpTable).Assembly.Location;
        string host = Environment.ProcessPath is string path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        string[] arguments = dependencies is null ? [] : ["--depsfile", dependencies, "--runtimeconfig", Path.ChangeExtension(program, ".runtimeconfig.json")];
        using Process process = Process.Start(new ProcessStartInfo(host, ["exec", .. arguments, program, StartUpChild.Argument, what]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"The program '{what}' ended with {process.ExitCode}; it must end with 0. Its output: {output}");
    }
}
