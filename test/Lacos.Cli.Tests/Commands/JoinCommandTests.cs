using System.Text.Json.Nodes;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class JoinCommandTests
{
    private static readonly string Texts = string.Concat(Enumerable.Range(0, 50).Select(i => i % 7 == 0 ? "\n" : $"text {i}\n"));

    [TestMethod]
    [DataRow(".npy")]
    [DataRow(".jsonl")]
    [DataRow(".parquet")]
    [DataRow(".arrow")]
    [DataRow(".arrows")]
    public void PartsAreJoinedToTheBytesOfOneRunAndItsSideFile(string ending)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", Texts);
        Directory.CreateDirectory(folder.File("parts"));
        foreach (string precision in (string[])["float32", "int8", "binary"])
        {
            foreach (int count in (int[])[1, 7, 60])
            {
                string[] settings = ["-i", input, "--precision", precision, "--prompt", "é"];
                Done(ToolRun.Of(["embed", .. settings, "-o", folder.File("v" + ending)]));
                byte[] side = File.ReadAllBytes(folder.File("v.json"));
                byte[] whole = File.ReadAllBytes(folder.File("v" + ending));
                for (int i = 1; i <= count; i++)
                {
                    Done(ToolRun.Of(["embed", .. settings, "-o", folder.File("parts/v" + ending), "--shard", $"{i}/{count}"]));
                }
                ToolRun run = ToolRun.Of("join", "-i", folder.File("parts/v" + ending), "-o", folder.File("v" + ending), "--parts", $"{count}");
                Done(run);
                StringAssert.Contains(run.Error, "50 vectors of ");
                CollectionAssert.AreEqual(whole, File.ReadAllBytes(folder.File("v" + ending)), $"{precision}, {count} parts");
                CollectionAssert.AreEqual(side, File.ReadAllBytes(folder.File("v.json")));
            }
        }
    }

    [TestMethod]
    public void WithoutAnInputTheNameOfTheOutputIsThatOfTheParts()
    {
        using TemporaryFolder folder = Parts();
        Done(ToolRun.Of("join", "-o", folder.File("v.npy"), "--parts", "3"));
        Done(ToolRun.Of("embed", "-i", folder.File("in.txt"), "-o", folder.File("w.npy")));
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("w.npy")), File.ReadAllBytes(folder.File("v.npy")));
    }

    [TestMethod]
    public void AMissingPartIsNamed()
    {
        using TemporaryFolder folder = Parts();
        File.Delete(folder.File("v-00002-of-00003.npy"));
        Refused(folder, "1 of 3 parts are missing: 2.", "Run lacos embed with --shard 2/3");
    }

    [TestMethod]
    public void APartOfAnotherModelOrOtherSettingsIsRefused()
    {
        foreach ((string key, JsonNode value) in (ReadOnlySpan<(string, JsonNode)>)[("fingerprint", "beef"), ("input_sha256", "00"), ("input_rows", 51), ("prompt", "query: "), ("pooling", "lasttoken")])
        {
            using TemporaryFolder folder = Parts();
            Change(folder, "v-00002-of-00003.json", key, value);
            Refused(folder, $"has the {key} {value.ToJsonString()} and ", "--shard 2/3 --force");
        }
        using TemporaryFolder other = Parts();
        Done(ToolRun.Of("embed", "-i", other.File("in.txt"), "-o", other.File("v.npy"), "--precision", "int8", "--shard", "3/3"));
        Refused(other, "has the precision \"int8\"", "are not parts of one set");
    }

    [TestMethod]
    [DataRow("v-00002-of-00003.npy", -1)]
    [DataRow("v-00001-of-00003.npy", 40)]
    public void ADamagedPartIsRefused(string name, int position)
    {
        using TemporaryFolder folder = Parts();
        byte[] bytes = File.ReadAllBytes(folder.File(name));
        bytes[position < 0 ? ^1 : position] ^= 1;
        folder.Write(name, bytes);
        Refused(folder, "is damaged", "again");
    }

    [TestMethod]
    [DataRow(".npy")]
    [DataRow(".parquet")]
    [DataRow(".arrow")]
    [DataRow(".jsonl")]
    public void APartWithAHashThatFitsAndOtherContentsIsRefused(string ending)
    {
        using TemporaryFolder folder = Parts(ending);
        string name = $"v-00002-of-00003{ending}";
        string side = Path.ChangeExtension(name, ".json");
        string first = $"v-00001-of-00003{ending}";
        Done(ToolRun.Of("embed", "-i", folder.Write("few.txt", "a\nb\n"), "-o", folder.File("few" + ending), "--shard", "1/2"));
        File.Copy(folder.File($"few-00001-of-00002{ending}"), folder.File(name), overwrite: true);
        Change(folder, side, "sha256", JsonNode.Parse(File.ReadAllText(folder.File("few-00001-of-00002.json")))!["sha256"]!.DeepClone());
        Refused(folder, $"'{folder.File(name)}' cannot be joined: it does not hold the 17 vectors", "--shard 2/3 --force", ending);
        Assert.IsTrue(File.Exists(folder.File(first)));
    }

    [TestMethod]
    public void APartThatStandsThereTwiceIsRefused()
    {
        using TemporaryFolder folder = Parts();
        foreach (string ending in (string[])["npy", "json"])
        {
            File.Copy(folder.File($"v-00001-of-00003.{ending}"), folder.File($"v-00002-of-00003.{ending}"), overwrite: true);
        }
        Refused(folder, "There is no '", "that describes");
        Change(folder, "v-00002-of-00003.json", "file", "v-00002-of-00003.npy");
        Refused(folder, "says that this is part \"1/3\", and by its name it is 2/3", "cannot be joined");
        Change(folder, "v-00002-of-00003.json", "shard", "2/3");
        Refused(folder, "part 2/3 of 50 has 17 from row 17", "Run lacos embed with --shard 2/3");
    }

    [TestMethod]
    [DataRow("rows", "seventeen")]
    [DataRow("first_row", -1)]
    [DataRow("dimension", 0)]
    [DataRow("precision", "float64")]
    [DataRow("input_rows", 1.5)]
    public void ASideFileThatMakesNoSenseIsRefused(string key, object value)
    {
        using TemporaryFolder folder = Parts();
        for (int i = 1; i <= 3; i++)
        {
            Change(folder, $"v-0000{i}-of-00003.json", key, value is string text ? text : JsonValue.Create(Convert.ToDouble(value, null)));
        }
        Refused(folder, "v-00001-of-00003.json", "again");
    }

    [TestMethod]
    [DataRow("v.npy", "0", "must be a whole number from 1")]
    [DataRow("v.parquet", "3", "are of two formats")]
    [DataRow("v-00001-of-00003.npy", "3", "would overwrite")]
    [DataRow("-", "3", "which - is not")]
    public void WhatMakesNoSenseIsAUsageError(string output, string parts, string expected)
    {
        using TemporaryFolder folder = Parts();
        ToolRun run = ToolRun.Of("join", "-i", folder.File("v.npy"), "-o", output == "-" ? output : folder.File(output), "--parts", parts);
        Assert.AreEqual(2, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    private static TemporaryFolder Parts(string ending = ".npy")
    {
        var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", Texts);
        for (int i = 1; i <= 3; i++)
        {
            Done(ToolRun.Of("embed", "-i", input, "-o", folder.File("v" + ending), "--shard", $"{i}/3"));
        }
        return folder;
    }

    private static void Refused(TemporaryFolder folder, string expected, string wayOut, string ending = ".npy")
    {
        string[] before = [.. folder.FileNames];
        ToolRun run = ToolRun.Of("join", "-o", folder.File("v" + ending), "--parts", "3");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        StringAssert.Contains(run.Error, wayOut);
        CollectionAssert.AreEqual(before, folder.FileNames.ToArray(), "nothing is left behind");
    }

    private static void Change(TemporaryFolder folder, string name, string key, JsonNode? value)
    {
        JsonObject side = JsonNode.Parse(File.ReadAllText(folder.File(name)))!.AsObject();
        side[key] = value?.DeepClone();
        folder.Write(name, side.ToJsonString());
    }

    private static void Done(ToolRun run) => Assert.AreEqual(0, run.ExitCode, run.Error);
}
