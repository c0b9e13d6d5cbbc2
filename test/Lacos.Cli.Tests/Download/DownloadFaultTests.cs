using System.Globalization;

namespace Lacos.Cli.Tests.Download;

/// <summary>Connections that break, servers that err, and how a download goes on.</summary>
[TestClass]
public sealed class DownloadFaultTests
{
    private const int Cut = 1000;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void ADroppedConnectionIsContinuedWhereItEnded(bool isLengthTold)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => call.From == 0 ? new HttpReply(200, content) { CutAfter = Cut, Announced = isLengthTold ? null : -1 } : null;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"));
        CollectionAssert.AreEqual(new[] { 0, Cut }, hub.StoreCalls.Select(call => call.From).ToArray());
        CollectionAssert.AreEqual(new[] { TimeSpan.FromSeconds(1) }, hub.Waits.ToArray());
        StringAssert.Contains(run.Error, "Trying again in 1 s");
    }

    [TestMethod]
    public void AServerThatDropsEachConnectionIsGivenUpAndTheNextRunContinues()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => FakeHub.Content(call, content) with { CutAfter = 10 };
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "tried 4 times");
        Assert.HasCount(4, hub.StoreCalls);
        CollectionAssert.AreEqual(new[] { 1.0, 2, 4 }, hub.Waits.Select(pause => pause.TotalSeconds).ToArray());
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("m"), "model.safetensors")));
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("m"), "config.json")), "no file has its name before all are there");

        hub.OnStore = null;
        int calls = hub.HubCalls.Length;
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        hub.RequireWhole(folder.File("m"));
        Assert.AreEqual(40, hub.StoreCalls[^1].From);
        Assert.HasCount(calls + 2, hub.HubCalls, "the list, and where the weights are");
    }

    [TestMethod]
    public void WhereTheServerKnowsNoRangesTheFileIsBegunAnew()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        int attempts = 0;
        hub.OnStore = (_, content) => new HttpReply(200, content) { CutAfter = ++attempts == 1 ? Cut : null };
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"));
        Assert.AreEqual(Cut, hub.StoreCalls[1].From, "it was asked for the rest");
    }

    [TestMethod]
    public void WhereTheServerRefusesARangeTheFileIsBegunAnew()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => call.From > 0 ? new HttpReply(416, []) : hub.StoreCalls.Length == 1 ? new HttpReply(200, content) { CutAfter = Cut } : null;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    public void APartThatWasDamagedIsFetchedAnew()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => FakeHub.Content(call, content) with { CutAfter = 10 };
        Assert.AreEqual(1, hub.Run(folder.File("m")).ExitCode);
        FileInfo part = FakeHub.Parts(folder.File("m")).Single(file => file.Length == 40);
        File.WriteAllBytes(part.FullName, new byte[40]);
        hub.OnStore = null;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    public void APartIsNotContinuedWithAnotherContent()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => FakeHub.Content(call, content) with { CutAfter = 10 };
        Assert.AreEqual(1, hub.Run(folder.File("m")).ExitCode);
        hub.OnStore = null;
        hub.Files["model.safetensors"] = [.. hub.Files["model.safetensors"].Select(value => (byte)~value)];
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        Assert.AreEqual(0, hub.StoreCalls[^1].From);
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    [DataRow("model.safetensors")]
    [DataRow("tokenizer.json")]
    [DataRow("config.json")]
    public void ContentOfAnotherHashIsRefusedAndNotKept(string path)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        byte[] other = [.. hub.Files[path]];
        other[^1] ^= 1;
        hub.OnHub = call => call.Path.EndsWith("/" + path, StringComparison.Ordinal) && path != "model.safetensors" ? new HttpReply(200, other) : null;
        hub.OnStore = (_, _) => new HttpReply(200, other);
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, $"'{path}' is not what it listed");
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("m"), path)));
        Assert.IsFalse(FakeHub.Parts(folder.File("m")).Any(part => part.Length == other.Length));
        Assert.IsEmpty(hub.Waits, "a wrong content is not asked for again");
    }

    [TestMethod]
    [DataRow(1, null, "announces")]
    [DataRow(1, -1, "sends more")]
    [DataRow(-1, null, "announces")]
    [DataRow(-1, -1, "ended after")]
    public void ABodyLongerOrShorterThanListedIsAnError(int more, int? announced, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => FakeHub.Content(call, more > 0 ? [.. content, 0] : content[..^1]) with { Announced = announced, Headers = [] };
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("m"), "model.safetensors")));
    }

    [TestMethod]
    public void ARangeThatBeginsElsewhereIsAnError()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (call, content) => call.From == 0
            ? new HttpReply(200, content) { CutAfter = Cut }
            : new HttpReply(206, content[7..]) { Headers = { ["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes 7-{content.Length - 1}/{content.Length}") } };
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "from byte 7");
    }

    [TestMethod]
    public void ABusyServerIsAskedAgainWhenItSays()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = _ => hub.HubCalls.Length switch
        {
            1 => new HttpReply(429, []) { Headers = { ["Retry-After"] = "17" } },
            2 => new HttpReply(503, []),
            _ => null,
        };
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        CollectionAssert.AreEqual(new[] { 17.0, 2 }, hub.Waits.Select(pause => pause.TotalSeconds).ToArray());
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    public void AStorageThatRefusesIsAskedForAgainByWayOfTheEndpoint()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnStore = (_, _) => hub.StoreCalls.Length == 1 ? new HttpReply(403, []) : null;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "where the files are stored, answered 403");
        Assert.AreEqual(2, hub.HubCalls.Count(call => call.Path.EndsWith("model.safetensors", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void AServerThatAsksForHoursIsNotWaitedFor()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = _ => new HttpReply(429, []) { Headers = { ["Retry-After"] = "7200" } };
        DownloadTests.RequireRefused(hub, folder, "asks to wait 2 h");
        Assert.IsEmpty(hub.Waits);
    }

    [TestMethod]
    public void AConnectionOverWhichNothingComesIsGivenUpAndContinued()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.StallTimeout = TimeSpan.FromMilliseconds(300);
        hub.OnStore = (call, content) => call.From == 0 ? new HttpReply(200, content) { CutAfter = Cut, Hangs = true } : null;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "Nothing came from");
        hub.RequireWhole(folder.File("m"));
        Assert.AreEqual(Cut, hub.StoreCalls[1].From);
    }

    [TestMethod]
    [DataRow(401, "", "set HF_TOKEN")]
    [DataRow(401, "GatedRepo", "accept its terms")]
    [DataRow(403, "GatedRepo", "accept its terms")]
    [DataRow(404, "RevisionNotFound", "has no revision 'main'")]
    [DataRow(404, "RepoNotFound", "There is no 'somebody/tiny-bloom' at 'main'")]
    [DataRow(418, "", "answered 418")]
    public void ARefusalSaysWhatToDoAndIsNotRepeated(int status, string code, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = _ => new HttpReply(status, []) { Headers = { ["X-Error-Code"] = code, ["X-Error-Message"] = "See \e[31mhere" } };
        DownloadTests.RequireRefused(hub, folder, expected);
        Assert.HasCount(1, hub.HubCalls);
        Assert.IsFalse(hub.Run(folder.File("m")).Error.Contains('\e', StringComparison.Ordinal));
    }

    [TestMethod]
    public void AServerThatIsNotThereIsAnErrorAtOnce()
    {
        using var folder = new TemporaryFolder();
        FakeHub hub = FakeHub.OfModel();
        string address = hub.Address;
        hub.Dispose();
        ToolRun run = hub.RunLine(default, "download", FakeHub.Model, "--output", folder.File("m"), "--endpoint", address);
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "does not answer");
        Assert.IsEmpty(hub.Waits);
    }

    [TestMethod]
    public void ADiskWithoutRoomIsToldBeforeWeightsAreFetched()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        long size = new[] { "config.json", "tokenizer.json", "README.md", "LICENSE", "model.safetensors" }.Sum(path => (long)hub.Files[path].Length);
        hub.FreeSpace = size - 1;
        DownloadTests.RequireRefused(hub, folder, "Make room");
        Assert.IsEmpty(hub.StoreCalls);
        hub.FreeSpace = size;
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
    }

    [TestMethod]
    public async Task AnInterruptedDownloadIsContinuedByTheNext()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        using var end = new CancellationTokenSource();
        hub.OnStore = (call, content) => call.From == 0 ? new HttpReply(200, content) { CutAfter = Cut, Hangs = true } : null;
        Task<Exception?> running = Task.Run(() =>
        {
            try
            {
                hub.RunLine(end.Token, "download", FakeHub.Model, "--output", folder.File("m"), "--endpoint", hub.Address);
                return null;
            }
            catch (OperationCanceledException error)
            {
                return (Exception?)error;
            }
        });
        while (!FakeHub.Parts(folder.File("m")).Any(part => part.Length == Cut) && !running.IsCompleted)
        {
            await Task.Delay(10);
        }
        await end.CancelAsync();
        Assert.IsNotNull(await running, "a signal ends the tool");
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        CollectionAssert.AreEqual(new[] { 0, Cut }, hub.StoreCalls.Select(call => call.From).ToArray());
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    public async Task TwoDownloadsIntoOneFolderDoNotMix()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        using var end = new CancellationTokenSource();
        hub.OnStore = (_, content) => new HttpReply(200, content) { CutAfter = Cut, Hangs = true };
        Task running = Task.Run(() => hub.RunLine(end.Token, "download", FakeHub.Model, "--output", folder.File("m"), "--endpoint", hub.Address));
        while (hub.StoreCalls.Length == 0 && !running.IsCompleted)
        {
            await Task.Delay(10);
        }
        ToolRun second = hub.Run(folder.File("m"));
        Assert.AreEqual(1, second.ExitCode, second.Error);
        StringAssert.Contains(second.Error, "Another download");
        await end.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => running);
    }
}
