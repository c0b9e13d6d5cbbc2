using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests;

namespace Lacos.Cli.Tests.Output;

[TestClass]
public sealed class PendingFileTests
{
    [TestMethod]
    [DataRow("old")]
    [DataRow(null)]
    public void ALinkStaysAndWhatItLeadsToIsReplaced(string? before)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("elsewhere"));
        string target = folder.File(Path.Combine("elsewhere", "target.json"));
        if (before is not null)
        {
            File.WriteAllText(target, before);
        }
        SpecialFile.FolderLink(folder.File("way"), "elsewhere");
        SpecialFile.Link(folder.File("second.json"), Path.Combine("way", "..", "elsewhere", "target.json"));
        SpecialFile.Link(folder.File("first.json"), folder.File("second.json"));
        Write(folder.File("first.json"), "new");
        Assert.AreEqual("new", File.ReadAllText(target));
        Assert.AreEqual(folder.File("second.json"), new FileInfo(folder.File("first.json")).LinkTarget);
        CollectionAssert.AreEqual(new[] { "target.json" }, Directory.GetFiles(folder.File("elsewhere")).Select(Path.GetFileName).ToArray());
        CollectionAssert.AreEqual(new[] { "first.json", "second.json" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void LinksInACircleAreRefused()
    {
        using var folder = new TemporaryFolder();
        SpecialFile.Link(folder.File("a.json"), "b.json");
        SpecialFile.Link(folder.File("b.json"), "a.json");
        StringAssert.Contains(Assert.ThrowsExactly<ToolException>(() => Write(folder.File("a.json"), "new")).Message, "circle");
        CollectionAssert.AreEqual(new[] { "a.json", "b.json" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    [DataRow("a pipe", "mkfifo", "")]
    [DataRow("a device", "mknod", "c 1 3")]
    public void WhatIsNoFileIsRefusedAndStays(string kind, string program, string arguments)
    {
        using var folder = new TemporaryFolder();
        SpecialFile.Make(folder.File("node.jsonl"), program, [folder.File("node.jsonl"), .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        SpecialFile.Link(folder.File("link.jsonl"), "node.jsonl");
        foreach (string name in folder.FileNames.ToArray())
        {
            ToolRun run = ToolRun.Of(new FakeModels(), "a\n", default, "embed", "-i", "-", "-o", folder.File(name));
            Assert.AreEqual(1, run.ExitCode, run.Error);
            StringAssert.Contains(run.Error, $"'{folder.File(name)}': it is {kind}");
            StringAssert.Contains(run.Error, "-o -");
        }
        Assert.AreEqual(kind, Microsoft.ML.Lacos.Safetensors.FileStatus.SpecialKind(folder.File("node.jsonl")));
        CollectionAssert.AreEqual(new[] { "link.jsonl", "node.jsonl" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void ALinkLaidAtAGuessedTemporaryNameIsNotWrittenThrough()
    {
        using var folder = new TemporaryFolder();
        string victim = folder.Write("victim", "mine");
        SpecialFile.Link(folder.File($".v.json.{Environment.ProcessId}.tmp"), victim);
        Write(folder.File("v.json"), "new");
        Assert.AreEqual("mine", File.ReadAllText(victim));
        Assert.IsNull(new FileInfo(folder.File("v.json")).LinkTarget);
        Assert.AreEqual("new", File.ReadAllText(folder.File("v.json")));
    }

    [TestMethod]
    public void WhatAKilledProcessHasLeftGoesAndWhatSomebodyIsWritingStays()
    {
        using var folder = new TemporaryFolder();
        string left = $".v.json.{Guid.NewGuid():N}.tmp";
        string victim = folder.Write("victim", "mine");
        string[] others = [$".w.json.{Guid.NewGuid():N}.tmp", ".v.json.notes.tmp", $".v.json.{Guid.NewGuid():N}.txt"];
        foreach (string name in others.Append(left))
        {
            folder.Write(name, "half");
        }
        string link = $".v.json.{Guid.NewGuid():N}.tmp";
        SpecialFile.Link(folder.File(link), victim);
        using (PendingFile first = PendingFile.Create(folder.File("v.json")))
        {
            first.Stream.Write("first"u8);
            Write(folder.File("v.json"), "second");
            Assert.AreEqual("second", File.ReadAllText(folder.File("v.json")));
            first.Commit();
        }
        Assert.AreEqual("first", File.ReadAllText(folder.File("v.json")));
        Assert.AreEqual("mine", File.ReadAllText(victim));
        CollectionAssert.AreEquivalent((string[])[.. others, link, "v.json", "victim"], folder.FileNames.ToArray());
    }

    [TestMethod]
    public async Task ManyWritersOfOneFileDoNotHarmEachOther()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("v.json");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                Write(path, $"{writer}");
            }
        }))).ConfigureAwait(false);
        Assert.HasCount(1, File.ReadAllText(path));
        CollectionAssert.AreEqual(new[] { "v.json" }, folder.FileNames.ToArray());
    }

    private static void Write(string path, string content)
    {
        using PendingFile file = PendingFile.Create(path);
        file.Stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
        file.Commit();
    }
}
