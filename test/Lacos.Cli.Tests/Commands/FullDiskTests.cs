using System.Globalization;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class FullDiskTests
{
    private static readonly string Pairs = "anchor\tpositive\n"
        + string.Concat(Enumerable.Range(0, 14).Select(i => string.Create(CultureInfo.InvariantCulture, $"A dog runs {i}.\tSome animal moves {i}.\n")));

    private static readonly string[] Final = ["adapter_model.safetensors", "adapter_config.json", "model.lacos", "train-log.jsonl", "train-curves.png"];

    [TestMethod]
    public void ACheckpointWithoutRoomIsAnErrorThatLosesNothingAndTheRunIsResumedToTheBit()
    {
        using var disk = new SmallDisk(64);
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", Pairs);
        Assert.AreEqual(0, Train(data, folder.File("whole")).ExitCode);
        Assert.AreEqual(0, Train(data, disk.File("out"), "--stop-at", "3").ExitCode);
        string[] log = File.ReadAllLines(disk.File("out", "train-log.jsonl"));
        disk.Fill(leave: 40_000);
        ToolRun full = Train(data, disk.File("out"), "--resume");
        Assert.AreEqual(1, full.ExitCode, full.Error);
        StringAssert.Contains(full.Error, "The checkpoint of step 6 cannot be written");
        StringAssert.Contains(full.Error, "step 3 is kept");
        CollectionAssert.AreEqual(new[] { "step-00000003" }, Directory.GetFileSystemEntries(disk.File("out", "checkpoints")).Select(Path.GetFileName).ToArray());
        CollectionAssert.AreEqual(log, File.ReadLines(disk.File("out", "train-log.jsonl")).Take(3).ToArray());
        disk.Empty();
        ToolRun resumed = Train(data, disk.File("out"), "--resume");
        Assert.AreEqual(0, resumed.ExitCode, resumed.Error);
        CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(folder.File("whole"), Final[0])), File.ReadAllBytes(disk.File("out", Final[0])));
    }

    [TestMethod]
    public void FinalFilesWithoutRoomLeaveTheEarlierOnesWholeAndAreWrittenByResuming()
    {
        using var disk = new SmallDisk(64);
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", Pairs);
        Assert.AreEqual(0, Train(data, disk.File("out")).ExitCode);
        byte[] model = File.ReadAllBytes(disk.File("out", "model.lacos"));
        disk.Fill(leave: 300_000);
        ToolRun full = Train(data, disk.File("out"), "--resume");
        Assert.AreEqual(1, full.ExitCode, full.Error);
        StringAssert.Contains(full.Error, "space");
        CollectionAssert.AreEqual(model, File.ReadAllBytes(disk.File("out", "model.lacos")));
        CollectionAssert.AreEquivalent((string[])[.. Final, "checkpoints"], Directory.GetFileSystemEntries(disk.File("out")).Select(Path.GetFileName).ToArray(), "no half-written file stays");
        foreach (string name in Final)
        {
            File.Delete(disk.File("out", name));
        }
        disk.Empty();
        ToolRun resumed = Train(data, disk.File("out"), "--resume");
        Assert.AreEqual(0, resumed.ExitCode, resumed.Error);
        CollectionAssert.AreEqual(model, File.ReadAllBytes(disk.File("out", "model.lacos")));
    }

    [TestMethod]
    [DataRow("v.npy")]
    [DataRow("v.jsonl")]
    public void VectorsWithoutRoomLeaveTheEarlierFileWhole(string name)
    {
        using var disk = new SmallDisk(1);
        File.WriteAllText(disk.File(name), "earlier");
        using var texts = new MemoryStream();
        for (int i = 0; i < 60_000; i++)
        {
            texts.Write("some text\n"u8);
        }
        texts.Position = 0;
        ToolRun run = ToolRun.Of(new FakeModels(), texts, default, "embed", "--input", "-", "--output", disk.File(name));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "space");
        Assert.AreEqual("earlier", File.ReadAllText(disk.File(name)));
        Assert.HasCount(1, Directory.GetFileSystemEntries(disk.Path));
    }

    [TestMethod]
    public void MinedPairsWithoutRoomLeaveNoFile()
    {
        using var disk = new SmallDisk(1);
        using var folder = new TemporaryFolder();
        string data = folder.Write("p.tsv", "anchor\tpositive\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => string.Create(CultureInfo.InvariantCulture, $"question {i} {new string('x', 200)}\tanswer {i * 7} {new string('y', 200)}\n"))));
        ToolRun run = ToolRun.Of("mine", "--data", data, "--output", disk.File("o.tsv"), "--relative-margin", "0");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "space");
        Assert.IsEmpty(Directory.GetFileSystemEntries(disk.Path));
    }

    [TestMethod]
    [DataRow("quantize", "m.lacos")]
    [DataRow("pack", "m.lacos")]
    [DataRow("export", "hf")]
    public void AModelWithoutRoomIsNamedAsItWasAskedForAndLeavesNothing(string command, string name)
    {
        using var disk = new SmallDisk(1);
        using var folder = new TemporaryFolder();
        Assert.AreEqual(0, ToolRun.Of("quantize", "--model", Export(folder), "--output", folder.File("in.lacos")).ExitCode);
        ToolRun run = ToolRun.Of(command, "--model", folder.File("in.lacos"), "--output", disk.File(name));
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, disk.File(name) + "'");
        StringAssert.Contains(run.Error, "Make room");
        Assert.DoesNotContain(".tmp", run.Error);
        Assert.IsEmpty(Directory.GetFileSystemEntries(disk.Path));
    }

    private static string Export(TemporaryFolder folder)
    {
        Assert.AreEqual(0, ToolRun.Of("export", "--output", folder.File("model"), "--precision", "float16").ExitCode);
        return folder.File("model");
    }

    private static ToolRun Train(string data, string output, params string[] arguments) =>
        ToolRun.Of(["train", "--data", data, "--output", output, "--batch-size", "4", "--lora-rank", "2", "--steps", "6", .. arguments]);
}
