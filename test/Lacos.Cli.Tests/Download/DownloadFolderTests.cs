using Lacos.Cli.Download;
using Microsoft.ML.Lacos.Tests;

namespace Lacos.Cli.Tests.Download;

/// <summary>What is in the folder before.</summary>
[TestClass]
public sealed class DownloadFolderTests
{
    [TestMethod]
    public void AFileThatNoDownloadHasWrittenIsReplacedByForceAlone()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Directory.CreateDirectory(folder.File("m"));
        string mine = Path.Combine(folder.File("m"), "config.json");
        File.WriteAllText(mine, "mine");
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "--force");
        Assert.AreEqual("mine", File.ReadAllText(mine));
        Assert.IsEmpty(hub.StoreCalls);
        Assert.AreEqual(0, hub.Run(folder.File("m"), "--force").ExitCode);
        hub.RequireWhole(folder.File("m"));
    }

    [TestMethod]
    public void AnotherCommitTakesThePlaceOfWhatWasDownloadedButNotOfWhatWasChanged()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        hub.Files["model.safetensors"][^1] ^= 1;
        hub.Add("README.md", "New.");
        hub.Files.Remove("LICENSE");
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "removed LICENSE");
        hub.RequireWhole(folder.File("m"));

        File.AppendAllText(Path.Combine(folder.File("m"), "README.md"), "My notes.");
        hub.Add("README.md", "Newer.");
        ToolRun changed = hub.Run(folder.File("m"));
        Assert.AreEqual(1, changed.ExitCode, changed.Error);
        Assert.AreEqual("New.My notes.", File.ReadAllText(Path.Combine(folder.File("m"), "README.md")));
    }

    [TestMethod]
    public void AFailedUpdateLeavesTheEarlierCommitWhole()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        byte[] config = hub.Files["config.json"];
        hub.Add("config.json", System.Text.Encoding.UTF8.GetString(config).Replace("1e-5", "1e-6", StringComparison.Ordinal));
        hub.Files["model.safetensors"][^1] ^= 1;
        hub.OnStore = (_, _) => new HttpReply(404, []);
        Assert.AreEqual(1, hub.Run(folder.File("m")).ExitCode);
        CollectionAssert.AreEqual(config, File.ReadAllBytes(Path.Combine(folder.File("m"), "config.json")));
    }

    [TestMethod]
    public void FilesOfAnotherModelAreNotReplaced()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Assert.AreEqual(0, hub.Run(folder.File("m")).ExitCode);
        byte[] before = [.. hub.Files["model.safetensors"]];
        hub.Files["model.safetensors"][^1] ^= 1;
        hub.OnHub = call => call.Path.Contains("/other", StringComparison.Ordinal) ? new HttpReply(307, []) { Headers = { ["Location"] = call.Path.Replace("/other", $"/{FakeHub.Model}", StringComparison.Ordinal) } } : null;
        ToolRun run = hub.RunLine(default, "download", "other", "--output", folder.File("m"), "--endpoint", hub.Address);
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "--force");
        CollectionAssert.AreEqual(before, File.ReadAllBytes(Path.Combine(folder.File("m"), "model.safetensors")));
    }

    [TestMethod]
    [DataRow("modules.json")]
    [DataRow("added_tokens.json")]
    public void AFileThatWouldBeReadWithTheModelIsToldOf(string name)
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel();
        Directory.CreateDirectory(folder.File("m"));
        File.WriteAllText(Path.Combine(folder.File("m"), name), "[]");
        ToolRun run = hub.Run(folder.File("m"), "--force");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, $"{name}' would be read with the model");
        Assert.IsEmpty(hub.StoreCalls);
    }

    [TestMethod]
    public void ALinkDoesNotLeadOutOfTheFolder()
    {
        using var folder = new TemporaryFolder();
        using FakeHub hub = FakeHub.OfModel(Microsoft.ML.Lacos.Tests.Hub.TinyModel.SentenceTransformers());
        Directory.CreateDirectory(folder.File("m"));
        string outside = Directory.CreateDirectory(folder.File("outside")).FullName;
        SpecialFile.FolderLink(Path.Combine(folder.File("m"), "1_Pooling"), outside);
        ToolRun run = hub.Run(folder.File("m"), "--force");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "is a link");
        Assert.IsEmpty(Directory.GetFileSystemEntries(outside));

        // A link in place of a file is replaced, not what it leads to.
        Directory.Delete(Path.Combine(folder.File("m"), "1_Pooling"));
        string target = folder.Write("target", "mine");
        SpecialFile.Link(Path.Combine(folder.File("m"), "README.md"), target);
        Assert.AreEqual(1, hub.Run(folder.File("m")).ExitCode);
        Assert.AreEqual(0, hub.Run(folder.File("m"), "--force").ExitCode);
        Assert.AreEqual("mine", File.ReadAllText(target));
    }

    [TestMethod]
    [DataRow("{")]
    [DataRow("[]")]
    [DataRow("""{"model":"somebody/tiny-bloom","files":[{"path":"../notes.txt","hash":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}]}""")]
    public void ARecordThatMakesNoSenseAllowsNothing(string record)
    {
        using var folder = new TemporaryFolder();
        string notes = folder.Write("notes.txt", "");
        using FakeHub hub = FakeHub.OfModel();
        string work = Directory.CreateDirectory(Path.Combine(folder.File("m"), DownloadFolder.WorkName)).FullName;
        File.WriteAllText(Path.Combine(work, "record.json"), record);
        ToolRun run = hub.Run(folder.File("m"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        Assert.IsTrue(File.Exists(notes));
    }
}
