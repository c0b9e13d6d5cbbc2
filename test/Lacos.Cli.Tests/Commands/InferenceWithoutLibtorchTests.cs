using System.Diagnostics;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class InferenceWithoutLibtorchTests
{
    [TestMethod]
    public void AProcessThatEmbedsMapsNoTorchLibrary()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: the mapped libraries of a process are read from /proc, which only Linux has.");
        }
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (string argument in new[] { typeof(LacosTool).Assembly.Location, "embed", "--input", "-", "--format", "txt", "--output", "-", "--quiet" })
        {
            start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start)!;
        try
        {
            // Several buffers full, written beside: vectors of the first window come out while the process is still at work.
            _ = Task.Run(() => Write(process.StandardInput));
            Task<string?> line = process.StandardOutput.ReadLineAsync();
            Assert.IsTrue(line.Wait(TimeSpan.FromSeconds(60)) && line.Result!.Contains('['), "no vector came");
            string maps = File.ReadAllText($"/proc/{process.Id}/maps");
            StringAssert.Contains(maps, "libcoreclr", "the process is alive");
            Assert.IsFalse(maps.Contains("libtorch", StringComparison.OrdinalIgnoreCase) || maps.Contains("LibTorchSharp", StringComparison.Ordinal) || maps.Contains("libc10", StringComparison.Ordinal));
        }
        finally
        {
            process.Kill();
        }
    }

    private static void Write(StreamWriter input)
    {
        try
        {
            for (int i = 0; i < 200_000; i++)
            {
                input.WriteLine("a");
            }
            input.Flush();
        }
        catch (IOException)
        {
            // The process was ended, as the test does when it has seen enough.
        }
    }
}
