using Microsoft.ML.Lacos.Tests.Damage;

namespace Lacos.Cli.Tests.Commands;

/// <summary>Models and parts of vectors that came damaged, as the tool reports them.</summary>
[TestClass]
public sealed class DamagedModelTests
{
    [TestMethod]
    public void InfoOnADamagedModelTellsOfItOrWhy()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = LacosDamage.Whole(folder.File("tiny"));
        int failed = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            string model = folder.Write("model.lacos", LacosDamage.Apply(whole, new Random(seed)));
            ToolRun run = ToolRun.Of(seed % 2 == 0 ? ["info", "--model", model] : ["info", "--model", model, "--json"]);
            failed += Check(run, $"seed {seed}");
        }
        Assert.IsTrue(failed is > 60 and < 200, $"{failed} of 200 failed");
    }

    [TestMethod]
    [DataRow(".npy")]
    [DataRow(".jsonl")]
    [DataRow(".arrow")]
    public void DamagedPartsAreJoinedToTheSameBytesOrNotAtAll(string ending)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", string.Concat(Enumerable.Range(0, 20).Select(i => $"text {i}\n")));
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", input, "-o", folder.File("v" + ending)).ExitCode);
        byte[] expected = File.ReadAllBytes(folder.File("v" + ending));
        Directory.CreateDirectory(folder.File("parts"));
        for (int part = 1; part <= 2; part++)
        {
            Assert.AreEqual(0, ToolRun.Of("embed", "-i", input, "-o", folder.File("parts/v" + ending), "--shard", $"{part}/2").ExitCode);
        }
        var whole = new FolderDamage(folder.File("parts"));
        string[] names = [.. whole.Files.Keys];
        int failed = 0;
        for (int seed = 0; seed < 120; seed++)
        {
            string parts = folder.File($"parts{seed}"), output = folder.File($"joined{seed}{ending}"), name = names[seed % names.Length];
            whole.WriteTo(parts);
            string done = $"seed {seed}, {name}: {whole.Spoil(parts, name, new Random(seed))}", before = FolderDamage.Describe(parts);
            ToolRun? run = null;
            Assert.IsNull(Refusal.Of(() => run = ToolRun.Of("join", "-i", Path.Combine(parts, "v" + ending), "-o", output, "--parts", "2"), done));
            failed += Check(run!, done);
            Assert.AreEqual(before, FolderDamage.Describe(parts), done);
            if (run!.ExitCode == 0)
            {
                CollectionAssert.AreEqual(expected, File.ReadAllBytes(output), done);
            }
            else
            {
                Assert.IsFalse(File.Exists(output), done);
            }
        }
        Assert.IsGreaterThan(80, failed);
    }

    [TestMethod]
    public void AnOnlyPartWithoutAPrecisionIsRefused()
    {
        using var folder = new TemporaryFolder();
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", folder.Write("in.txt", "text\n"), "-o", folder.File("v.npy"), "--shard", "1/1").ExitCode);
        string side = folder.File("v-00001-of-00001.json");
        string text = File.ReadAllText(side);
        Assert.Contains("\"precision\": \"float32\"", text);
        File.WriteAllText(side, text.Replace("\"precision\": \"float32\"", "\"precision\": null", StringComparison.Ordinal));
        ToolRun run = ToolRun.Of("join", "-o", folder.File("v.npy"), "--parts", "1");
        Assert.AreEqual(1, Check(run, "precision"));
        Assert.Contains("has the precision none", run.Error);
    }

    private static int Check(ToolRun run, string done)
    {
        if (run.ExitCode == 0)
        {
            return 0;
        }
        Refusal.CheckMessage(run.Error, done);
        Assert.DoesNotContain("unexpected error", run.Error, done);
        return 1;
    }
}
