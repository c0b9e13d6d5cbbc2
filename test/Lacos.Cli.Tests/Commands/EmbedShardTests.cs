using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class EmbedShardTests
{
    private const int NpyHeader = 128;

    // Fields with line breaks and empty lines, so that rows are not lines.
    private static readonly string Texts = "id,text\n" + string.Concat(Enumerable.Range(0, 9000).Select(i => i % 5 == 0 ? $"{i},\"line one,\nline {i}\"\n\n" : $"{i},text {i}\n"));

    [TestMethod]
    [DataRow("v.npy", "in.csv", 7)]
    [DataRow("v.npy", "in.csv.gz", 3)]
    [DataRow("v.npy", "in.csv", 1)]
    [DataRow("v.jsonl", "in.csv.gz", 7)]
    public void ShardsOneAfterTheOtherAreTheBytesOfOneRun(string output, string input, int count)
    {
        using var folder = new TemporaryFolder();
        folder.WriteGzip("in.csv.gz", Texts);
        folder.Write("in.csv", Texts);
        foreach (string precision in (string[])["float32", "int8", "binary"])
        {
            RequireDone(ToolRun.Of("embed", "-i", folder.File(input), "-o", folder.File(output), "--precision", precision));
            var rows = new List<int>();
            var parts = new MemoryStream();
            for (int i = 1; i <= count; i++)
            {
                RequireDone(ToolRun.Of("embed", "-i", folder.File(input), "-o", folder.File(output), "--precision", precision, "--shard", $"{i}/{count}"));
                string part = ShardName(output, i, count);
                parts.Write(Data(folder.File(part)));
                JsonObject side = Side(folder, part);
                Assert.AreEqual(rows.Sum(), side["first_row"]!.GetValue<int>());
                rows.Add(side["rows"]!.GetValue<int>());
            }
            Assert.AreEqual(9000, rows.Sum());
            Assert.IsLessThanOrEqualTo(1, rows.Max() - rows.Min());
            CollectionAssert.AreEqual(Data(folder.File(output)), parts.ToArray(), precision);
        }
    }

    [TestMethod]
    public void MoreShardsThanRowsLeaveEmptyFilesThatAreValid()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\nb\n");
        for (int i = 1; i <= 3; i++)
        {
            RequireDone(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"), "--shard", $"{i}/3"));
            RequireDone(ToolRun.Of("embed", "-i", input, "-o", folder.File("w.jsonl"), "--shard", $"{i}/3"));
        }
        StringAssert.Contains(File.ReadAllText(folder.File("v-00003-of-00003.npy")), "'shape': (0, 12)");
        Assert.AreEqual(NpyHeader, new FileInfo(folder.File("v-00003-of-00003.npy")).Length);
        Assert.AreEqual(0, new FileInfo(folder.File("w-00003-of-00003.jsonl")).Length);
        Assert.HasCount(1, File.ReadAllLines(folder.File("w-00002-of-00003.jsonl")));
    }

    [TestMethod]
    public void TheSideFileSaysWhichRowsOfWhichInputTheVectorsAre()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.tsv", "id\ttext\n1\ta\n2\tb\n3\tc\n");
        RequireDone(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "2/2", "--prompt", "query: "));
        JsonObject side = Side(folder, "v-00002-of-00002.npy");
        Assert.AreEqual("v-00002-of-00002.npy", (string?)side["file"]);
        Assert.AreEqual("2/2", (string?)side["shard"]);
        Assert.AreEqual(2, (int?)side["first_row"]);
        Assert.AreEqual(1, (int?)side["rows"]);
        Assert.AreEqual(3, (int?)side["input_rows"]);
        Assert.AreEqual("in.tsv", (string?)side["input"]);
        Assert.AreEqual("tsv", (string?)side["input_format"]);
        Assert.AreEqual(1, (int?)side["input_column"]);
        Assert.AreEqual(Hash(input), (string?)side["input_sha256"]);
        Assert.AreEqual(Hash(folder.File("v-00002-of-00002.npy")), (string?)side["sha256"]);
        Assert.AreEqual("query: ", (string?)side["prompt"]);
        Assert.AreEqual("f00d", (string?)side["fingerprint"]);
    }

    [TestMethod]
    public void TheHashOfTheInputIsThatOfThePackedBytesToTheLast()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt.gz", [.. TemporaryFolder.Gzip("a\nb\n"), .. new byte[300_000]]);
        RequireDone(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "1/2"));
        Assert.AreEqual(Hash(input), (string?)Side(folder, "v-00001-of-00002.npy")["input_sha256"]);
    }

    [TestMethod]
    public void AWholeShardIsNotMadeAgainUnlessItIsAskedFor()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\nb\nc\n");
        string[] command = ["embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "1/2"];
        Assert.AreEqual(1, Encodings(command));
        byte[] before = File.ReadAllBytes(folder.File("v-00001-of-00002.npy"));
        Assert.AreEqual(0, Encodings(command));
        Assert.AreEqual(0, Encodings([.. command, "--threads", "2"]), "threads change no vector");
        StringAssert.Contains(ToolRun.Of(command).Error, "is there already, whole");
        File.Move(input, folder.File("moved.txt"));
        string side = folder.File("v-00001-of-00002.json");
        File.WriteAllText(side, File.ReadAllText(side).Replace("no engine", "another engine", StringComparison.Ordinal));
        command[2] = folder.File("moved.txt");
        Assert.AreEqual(0, Encodings(command), "neither does the input's name, nor what computed them");
        Assert.AreEqual(1, Encodings([.. command, "--force"]));
        CollectionAssert.AreEqual(before, File.ReadAllBytes(folder.File("v-00001-of-00002.npy")));
    }

    [TestMethod]
    public void WhateverChangesTheVectorsMakesAShardAgain()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.tsv", "text\tother\na\tx\nb\ty\n");
        string[] command = ["embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "1/2"];
        foreach (string[] change in (string[][])[["--prompt", "p"], ["--dim", "3"], ["--precision", "int8"], ["--column", "other"], ["--no-header", "--column", "0"]])
        {
            Assert.AreEqual(1, Encodings(command), "back to what it was");
            Assert.AreEqual(1, Encodings([.. command, .. change]), string.Join(' ', change));
            Assert.AreEqual(0, Encodings([.. command, .. change]), string.Join(' ', change));
        }
        Assert.AreEqual(1, Encodings(command));
        folder.Write("in.tsv", "text\tother\na\tx\nB\ty\n");
        Assert.AreEqual(1, Encodings(command), "another input, though this part of it is the same");
    }

    [TestMethod]
    [DataRow("cut")]
    [DataRow("changed")]
    [DataRow("no vectors")]
    [DataRow("no side file")]
    [DataRow("side file without a hash")]
    public void AShardThatIsNotWholeIsMadeAgain(string damage)
    {
        using var folder = new TemporaryFolder();
        string[] command = ["embed", "-i", folder.Write("in.txt", "a\nb\nc\n"), "-o", folder.File("v.npy"), "--shard", "1/2"];
        Assert.AreEqual(1, Encodings(command));
        string output = folder.File("v-00001-of-00002.npy");
        byte[] whole = File.ReadAllBytes(output);
        switch (damage)
        {
            case "cut":
                File.WriteAllBytes(output, whole[..^1]);
                break;
            case "changed":
                File.WriteAllBytes(output, [.. whole[..^1], (byte)(whole[^1] ^ 1)]);
                break;
            case "no vectors":
                File.Delete(output);
                break;
            case "no side file":
                File.Delete(Path.ChangeExtension(output, ".json"));
                break;
            default:
                JsonObject side = Side(folder, Path.GetFileName(output));
                side.Remove("sha256");
                File.WriteAllText(Path.ChangeExtension(output, ".json"), side.ToJsonString());
                break;
        }
        Assert.AreEqual(1, Encodings(command));
        CollectionAssert.AreEqual(whole, File.ReadAllBytes(output));
        Assert.AreEqual(0, Encodings(command));
    }

    [TestMethod]
    [DataRow("a\nb\nc\nd\n", 60)]
    [DataRow("a\nb\nC\n", 60)]
    [DataRow("a\nb\nc\nd\n", 0)]
    public void AnInputThatChangesMeanwhileIsRefusedAndLeavesNothing(string changed, int secondsLater)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Not run: Windows lets nobody write into a file that is being read.");
        }
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\nb\nc\n");
        DateTime written = File.GetLastWriteTimeUtc(input);
        var models = new FakeModels
        {
            Encoding = _ =>
            {
                File.WriteAllText(input, changed);
                File.SetLastWriteTimeUtc(input, written.AddSeconds(secondsLater));
            },
        };
        ToolRun run = ToolRun.Of(models, "", default, "embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "1/2");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "has changed while it was read");
        CollectionAssert.AreEqual(new[] { "in.txt" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void AShardOnStandardOutputIsItsLinesAlone()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\nb\nc\n");
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", "-", "--shard", "2/2");
        RequireDone(run);
        StringAssert.StartsWith(run.Output, "{\"text\":\"c\",");
        Assert.AreEqual(1, run.Output.Count(character => character == '\n'));
        CollectionAssert.AreEqual(new[] { "in.txt" }, folder.FileNames.ToArray());
    }

    [TestMethod]
    public void MessagesNameTheRowOfTheWholeInput()
    {
        using var folder = new TemporaryFolder();
        var models = new FakeModels { Damage = ("c", float.NaN) };
        ToolRun run = ToolRun.Of(models, "", default, "embed", "-i", folder.Write("in.txt", "a\nb\nc\n"), "-o", folder.File("v.npy"), "--shard", "2/2");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "Text 2 of ");
    }

    [TestMethod]
    public void InvalidUtf8IsWarnedOfOnceThoughTheInputIsReadTwice()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", [(byte)'a', 0xFF, (byte)'\n', 0xFF, (byte)'\n']);
        ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File("v.npy"), "--shard", "2/2");
        RequireDone(run);
        Assert.AreEqual(1, run.Error.Split("warning").Length - 1, run.Error);
        StringAssert.Contains(run.Error, "2 place(s)");
    }

    [TestMethod]
    [DataRow("0/7", "--shard is '0/7'")]
    [DataRow("8/7", "--shard is '8/7'")]
    [DataRow("7", "--shard is '7'")]
    [DataRow("1/100000", "n at most 99999")]
    [DataRow("1/2/3", "--shard is '1/2/3'")]
    [DataRow("-1/3", "--shard is '-1/3'")]
    public void WhatIsNoShardIsAUsageError(string shard, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"), "--shard", shard);
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    [TestMethod]
    public void StandardInputHasNoShards()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(new FakeModels(), "a\n", default, "embed", "-i", "-", "-o", folder.File("v.npy"), "--shard", "1/2");
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "standard input can be read only once. Write the texts to a file");
        Assert.AreEqual(2, ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.npy"), "--force").ExitCode, "--force alone");
        StringAssert.Contains(ToolRun.Of("embed", "-i", folder.File("in.txt"), "-o", "-", "--shard", "1/1", "--force").Error, "--force has no effect with --output -");
    }

    private static void RequireDone(ToolRun run) => Assert.AreEqual(0, run.ExitCode, run.Error);

    private static int Encodings(string[] arguments)
    {
        int count = 0;
        ToolRun run = ToolRun.Of(new FakeModels { Encoding = _ => count++ }, "", default, arguments);
        RequireDone(run);
        return count;
    }

    private static string ShardName(string name, int number, int count) => $"{Path.GetFileNameWithoutExtension(name)}-{number:00000}-of-{count:00000}{Path.GetExtension(name)}";

    private static byte[] Data(string path) => File.ReadAllBytes(path)[(path.EndsWith(".npy", StringComparison.Ordinal) ? NpyHeader : 0)..];

    private static JsonObject Side(TemporaryFolder folder, string vectors) => JsonNode.Parse(File.ReadAllText(folder.File(Path.ChangeExtension(vectors, ".json"))))!.AsObject();

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
