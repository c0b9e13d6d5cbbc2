using System.Diagnostics;

namespace Microsoft.ML.Lacos.Tests;

/// <summary>Makes what is no file where one is expected.</summary>
internal static class SpecialFile
{
    /// <summary>Makes a named pipe that nobody writes into.</summary>
    public static string Pipe(string path) => Make(path, "mkfifo", path);

    /// <summary>Makes a link to a file; where the user may make none, as on Windows without its developer mode, the test cannot run.</summary>
    public static void Link(string path, string target) => RequireLink(() => File.CreateSymbolicLink(path, target));

    /// <summary>Makes a link to a folder, as <see cref="Link"/>.</summary>
    public static void FolderLink(string path, string target) => RequireLink(() => Directory.CreateSymbolicLink(path, target));

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

    private static void RequireLink(Func<FileSystemInfo> make)
    {
        try
        {
            if (make().LinkTarget is null)
            {
                Assert.Inconclusive("Not run: no link can be made here.");
            }
        }
        catch (Exception error) when (OperatingSystem.IsWindows() && error is IOException or UnauthorizedAccessException)
        {
            Assert.Inconclusive($"Not run: no link can be made ({error.Message}); Windows allows it in its developer mode.");
        }
    }
}
