using System.Text;
using Lacos.Cli.Download;

namespace Lacos.Cli.Tests.Download;

/// <summary>Servers and repositories that mean harm.</summary>
[TestClass]
public sealed class DownloadHostileTests
{
    private const string Token = "hf_secret1234567890";

    [TestMethod]
    [DataRow("../evil.json")]
    [DataRow("a/../../evil.json")]
    [DataRow("/etc/evil.json")]
    [DataRow("..\\evil.json")]
    [DataRow("LICENSE\u001b[2J")]
    [DataRow("a//b.json")]
    public void APathThatLeadsOutOfAFolderEndsTheDownload(string path)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.ChangeListing = listing => listing["siblings"]!.AsArray().Add(FakeHub.Sibling(path, [1]));
        DownloadTests.RequireRefused(hub, folder, "leads outside a folder");
        Assert.HasCount(1, hub.HubCalls);
        Assert.IsFalse(hub.Run(folder.File("m")).Error.Contains('\e', StringComparison.Ordinal));
    }

    [TestMethod]
    [DataRow("LICENSE:stream.txt")]
    [DataRow("license")]
    [DataRow("LICENSE.")]
    public void ALicenceWhoseNameSomeSystemsDoNotHaveIsLeftOutWithAWarning(string path)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.ChangeListing = listing => listing["siblings"]!.AsArray().Add(FakeHub.Sibling(path, [1]));
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, $"warning: '{path}' is left out");
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    [DataRow("CON.safetensors", "no name that every system has")]
    [DataRow("../m.safetensors", "not a plain .safetensors file name")]
    [DataRow("gone.safetensors", "does not hold")]
    [DataRow("m.py", "not a plain .safetensors file name")]
    public void AnIndexThatNamesOtherFilesThanShardsIsRefused(string shard, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Files.Remove("model.safetensors");
        hub.Files["CON.safetensors"] = [1];
        hub.Add("model.safetensors.index.json", "{\"weight_map\":{\"ln_f.weight\":\"" + shard + "\"}}");
        DownloadTests.RequireRefused(hub, folder, expected);
        Assert.IsEmpty(hub.StoreCalls);
    }

    [TestMethod]
    public void ShardsThatDifferInCaseAloneAreRefused()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Files.Remove("model.safetensors");
        hub.Files["a.safetensors"] = [1];
        hub.Files["A.safetensors"] = [2];
        hub.Add("model.safetensors.index.json", """{"weight_map":{"x":"a.safetensors","y":"A.safetensors"}}""");
        DownloadTests.RequireRefused(hub, folder, "upper and lower case");
    }

    [TestMethod]
    [DataRow("""{"sha":"main","siblings":[]}""", "names no commit")]
    [DataRow("""{"sha":"../../0123456789abcdef0123456789abcdef0123","siblings":[]}""", "names no commit")]
    [DataRow("""{"siblings":[]}""", "names no commit")]
    [DataRow("""[]""", "expected an object")]
    [DataRow("<html>", "not valid JSON")]
    [DataRow("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"model.safetensors"},{"rfilename":"config.json"}]}""", "size and hash")]
    [DataRow("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"config.json"},{"rfilename":"config.json"}]}""", "twice")]
    [DataRow("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"m.safetensors"},{"rfilename":"config.json","size":-1,"blobId":"0123456789abcdef0123456789abcdef01234567"}]}""", "size and hash")]
    [DataRow("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"m.safetensors"},{"rfilename":"config.json","size":99999999,"blobId":"0123456789abcdef0123456789abcdef01234567"}]}""", "at most 16777216")]
    public void AListThatMakesNoSenseIsRefused(string answer, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = _ => new HttpReply(200, Encoding.UTF8.GetBytes(answer));
        DownloadTests.RequireRefused(hub, folder, expected);
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow(-1)]
    public void AListWithoutEndIsNotReadToItsEnd(int? announced)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        bool isSent = false;
        hub.OnHub = _ => new HttpReply(200, new byte[4 * HubClient.LargestListing]) { Announced = announced, Sent = () => isSent = true };
        DownloadTests.RequireRefused(hub, folder, "sends more for the list");
        Assert.IsFalse(isSent, "the connection was ended before");
    }

    [TestMethod]
    public void TheTokenIsShownToTheEndpointAloneAndNeverPrinted()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Variables["HF_TOKEN"] = Token;
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.IsTrue(hub.HubCalls.All(call => call.Header("Authorization") == "Bearer " + Token));
        Assert.IsNotEmpty(hub.StoreCalls);
        Assert.IsTrue(hub.StoreCalls.All(call => !call.Headers.Values.Any(value => value.Contains(Token, StringComparison.Ordinal))), "the storage sees no token");
        hub.OnHub = _ => new HttpReply(401, []);
        ToolRun refused = hub.Run(folder.File("m"));
        StringAssert.Contains(refused.Error, "The token in HF_TOKEN gives no access");
        Assert.IsFalse((run.Error + run.Output + refused.Error).Contains(Token, StringComparison.Ordinal));
    }

    [TestMethod]
    public void ATokenThatIsNoneIsRefusedWithoutShowingIt()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Variables["HF_TOKEN"] = "hf_a\nX-Header: b";
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "HF_TOKEN");
        Assert.IsFalse(run.Error.Contains("X-Header", StringComparison.Ordinal));
        Assert.IsEmpty(hub.HubCalls);
    }

    [TestMethod]
    [DataRow("http://example.org/x", "not encrypted")]
    [DataRow("ftp://127.0.0.1/x", "not encrypted")]
    [DataRow("file:///etc/passwd", "not encrypted")]
    public void ARedirectToWhatIsNotEncryptedIsNotFollowed(string location, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = _ => new HttpReply(302, []) { Headers = { ["Location"] = location } };
        DownloadTests.RequireRefused(hub, folder, expected);
    }

    [TestMethod]
    public void RedirectsInACircleEnd()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.OnHub = call => new HttpReply(307, []) { Headers = { ["Location"] = call.Path } };
        DownloadTests.RequireRefused(hub, folder, "more than 5 times");
        Assert.HasCount(6, hub.HubCalls);
    }

    [TestMethod]
    public void AModelThatWasRenamedIsFoundByItsOldName()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Variables["HF_TOKEN"] = Token;
        hub.OnHub = call => call.Path.Contains("/old", StringComparison.Ordinal) ? new HttpReply(307, []) { Headers = { ["Location"] = call.Path.Replace("/old", "/somebody/tiny-bloom", StringComparison.Ordinal) } } : null;
        ToolRun run = hub.RunLine(default, "download", "old", "--output", folder.File("m"), "--endpoint", hub.Address);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.IsTrue(hub.HubCalls.All(call => call.Header("Authorization") is not null));
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    [DataRow("http://example.org", "not encrypted")]
    [DataRow("http://localhost.example.org", "not encrypted")]
    [DataRow("huggingface.co", "no address")]
    [DataRow("https://user:secret@example.org", "HF_TOKEN")]
    [DataRow("https://example.org/?token=secret", "HF_TOKEN")]
    public void AnEndpointThatIsNotSafeIsAnErrorOfUsage(string endpoint, string expected)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        foreach (string[] option in new[] { new[] { "--endpoint", endpoint }, [] })
        {
            hub.Variables["HF_ENDPOINT"] = endpoint;
            ToolRun run = hub.RunLine(default, ["download", FakeHub.Model, "--output", folder.File("m"), .. option]);
            Assert.AreEqual(2, run.ExitCode, run.Error);
            StringAssert.Contains(run.Error, expected);
            StringAssert.Contains(run.Error, option.Length > 0 ? "--endpoint" : "HF_ENDPOINT");
            Assert.IsFalse(run.Error.Contains("secret", StringComparison.Ordinal), run.Error);
        }
    }

    [TestMethod]
    [DataRow("..", "main")]
    [DataRow("a/b/c", "main")]
    [DataRow("a/..", "main")]
    [DataRow("https://huggingface.co/a/b", "main")]
    [DataRow("-a/b", "main")]
    [DataRow("a/b", "..")]
    [DataRow("a/b", "x\u0007")]
    public void ANameOrRevisionThatIsNoneIsAnErrorOfUsage(string name, string revision)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        ToolRun run = hub.RunLine(default, "download", "--output", folder.File("m"), "--endpoint", hub.Address, "--revision", revision, "--", name);
        Assert.AreEqual(2, run.ExitCode, run.Error);
        Assert.IsEmpty(hub.HubCalls);
    }

    [TestMethod]
    public void TheEnvironmentNamesAnotherEndpointAndItsPathStays()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        hub.Variables["HF_ENDPOINT"] = hub.Address + "/mirror/";
        hub.OnHub = call => new HttpReply(307, []) { Headers = { ["Location"] = call.Path.Replace("/mirror", "", StringComparison.Ordinal) } };
        ToolRun run = hub.RunLine(default, "download", FakeHub.Model, "--output", folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        Assert.AreEqual($"/mirror/api/models/{FakeHub.Model}/revision/main?blobs=true", hub.HubCalls[0].Path);
    }
}
