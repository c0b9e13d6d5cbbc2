using System.Diagnostics;

namespace Microsoft.ML.Lacos.Tests;

/// <summary>Makes what is no file where one is expected.</summary>
internal static class SpecialFile
{
    /// <summary>Makes a named pipe that nobody writes into.</summary>
    public static string Pipe(string path) => Make(path, "mkfifo", path);

    /// <summary>Makes something with a program; without it, or without the right to, the test cannot run.</summary>
    public static string Make(string path, string program, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: what is no file is told from a file on Linux only.");
        }
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            Assert.Inconclusive($"Not run: {error.Trim()}");
        }
        return path;
    }
}
