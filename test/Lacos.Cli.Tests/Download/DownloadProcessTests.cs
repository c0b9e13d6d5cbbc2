using System.Diagnostics;
using System.Globalization;

namespace Lacos.Cli.Tests.Download;

/// <summary>The tool as a process of its own.</summary>
[TestClass]
public sealed class DownloadProcessTests
{
    private const int Cut = 1000;

    [TestMethod]
    [DataRow("INT", 130)]
    [DataRow("TERM", 143)]
    public async Task ASignalEndsADownloadWithItsCodeAndTheNextOneContinues(string signal, int exitCode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: Windows has no signals to send to a process.");
        }
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => call.From == 0 ? new HttpReply(200, content) { CutAfter = Cut, Hangs = true } : null;
        using Process process = ToolProcess.Start(folder.Path, "download", FakeHub.Model, "--endpoint", hub.Address);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        while (!FakeHub.Parts(folder.File("tiny-bloom")).Any(part => part.Length == Cut) && !process.HasExited)
        {
            await Task.Delay(20);
        }
        using Process kill = Process.Start("sh", ["-c", $"kill -s {signal} {process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        await kill.WaitForExitAsync();
        ToolRun run = ToolProcess.Finish(process, output, error);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "the same command continues");
        Assert.AreEqual("", run.Output);

        ToolRun next = ToolProcess.RunWith([("HF_ENDPOINT", hub.Address), ("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", "http://127.0.0.1:1")], folder.Path, "", "download", FakeHub.Model);
        Assert.AreEqual(0, next.ExitCode, next.Error);
        Assert.AreEqual("tiny-bloom\n", next.Output, "the folder is named after the model");
        Assert.AreEqual(Cut, hub.StoreCalls[^1].From);
        hub.RequireWhole(folder.File("tiny-bloom"));
    }
}
