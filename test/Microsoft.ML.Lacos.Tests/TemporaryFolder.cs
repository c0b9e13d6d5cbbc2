using System.Diagnostics;

namespace Microsoft.ML.Lacos.Tests;

/// <summary>A new folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lacos-test-").FullName;

    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Makes a named pipe that nobody writes into.</summary>
    public string Pipe(string name) => Node(name, "mkfifo", File(name));

    /// <summary>Makes something that is no file with a program; without it, or without the right to, the test cannot run.</summary>
    public string Node(string name, string program, params string[] arguments)
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
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
