using System.Globalization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Damage;

namespace Microsoft.ML.Lacos.Training.Tests.Checkpoints;

[TestClass]
public sealed class CheckpointFuzzTests
{
    // Among these are bits flipped in the numbers of each file, which only the hashes can tell.
    private const string UsualSeeds = "60 100";

    // A number of seeds, and the first of them.
    private static readonly int[] Asked = [.. (Environment.GetEnvironmentVariable("LACOS_FUZZ_SEEDS") ?? UsualSeeds).Split(' ').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

    private static IEnumerable<int> Seeds => Enumerable.Range(Asked[1], Asked[0]);

    [TestMethod]
    public void ARunWithADamagedCheckpointEndsWithTheSameBitsOrAClearError()
    {
        using var folder = new TemporaryFolder();
        var run = new LetterRun(folder.File("model"));
        run.Train(folder.File("run"), 6, resume: false);
        var whole = new FolderDamage(folder.File("run"));
        (byte[] expected, long first) = run.Train(folder.File("run"), 0, resume: true);
        Assert.AreEqual(7, first);
        string[] names = [.. whole.Files.Keys.Where(name => name.StartsWith(LetterRun.Newest, StringComparison.Ordinal))];
        Assert.HasCount(7, names, "two adapters of two files, the state, the manifest and its hash");
        int passedOver = 0;
        foreach (int seed in Seeds)
        {
            var random = new Random(seed);
            string copy = folder.File($"copy{seed}"), name = names[seed % names.Length];
            whole.WriteTo(copy);
            string done = $"seed {seed}, {name}: {whole.Spoil(copy, name, random)}", before = FolderDamage.Describe(copy);
            run.Messages.Clear();
            byte[] adapter = [];
            long start = 0;
            Exception? error = Refusal.Of(() => (adapter, start) = run.Train(copy, 0, resume: true), done);
            if (error is not null)
            {
                // A manifest without its hash is one of an earlier version, which is refused.
                Assert.EndsWith("manifest.sha256", name, $"{done}: {error}");
                Assert.AreEqual(before, FolderDamage.Describe(copy), done);
                continue;
            }
            CollectionAssert.AreEqual(expected, adapter, done);
            passedOver += CountPassedOver(run, start, done);
            Directory.Delete(copy, recursive: true);
        }
        Assert.IsGreaterThan(Asked[0] * 3 / 4, passedOver);
    }

    [TestMethod]
    public void AFileThatWasChangedWithItsHashesIsLookedIntoBeforeItIsUsed()
    {
        using var folder = new TemporaryFolder();
        var run = new LetterRun(folder.File("model"));
        run.Train(folder.File("run"), 6, resume: false);
        var whole = new FolderDamage(folder.File("run"));
        string[] names = [.. whole.Files.Keys.Where(name => name.StartsWith(LetterRun.Newest, StringComparison.Ordinal) && !name.EndsWith(".sha256", StringComparison.Ordinal))];
        int passedOver = 0;
        foreach (int seed in Seeds)
        {
            var random = new Random(seed);
            string copy = folder.File($"copy{seed}"), name = names[seed % names.Length], inside = name[(LetterRun.Newest.Length + 1)..], path = Path.Combine(copy, name);
            whole.WriteTo(copy);
            byte[] content = whole.Files[name];
            bool isJson = name.EndsWith(".json", StringComparison.Ordinal);
            File.WriteAllBytes(path, random.Next(5) == 0 ? ByteDamage.Apply(content, random) : isJson ? JsonDamage.Apply(content, random) : ByteDamage.ApplyToHeader(content, random));
            LetterRun.Sign(Path.Combine(copy, LetterRun.Newest), inside == "manifest.json" ? null : inside);
            string before = FolderDamage.Describe(copy);
            run.Messages.Clear();
            long start = 0;
            Exception? error = Refusal.Of(() => start = run.Train(copy, 0, resume: true).FirstStep, $"seed {seed}, {name}", typeof(InvalidOperationException));
            if (error is null)
            {
                passedOver += CountPassedOver(run, start, $"seed {seed}, {name}");
            }
            else if (error is not InvalidOperationException)
            {
                // Of another version or configuration; for any other file the older checkpoint serves. Numbers that fit may still be such that training stops, which is the other error.
                Assert.AreEqual("manifest.json", inside, $"seed {seed}: {error}");
                Assert.AreEqual(before, FolderDamage.Describe(copy), $"seed {seed}, {name}");
            }
            Directory.Delete(copy, recursive: true);
        }
        Assert.IsGreaterThan(Asked[0] / 2, passedOver);
    }

    private static int CountPassedOver(LetterRun run, long start, string done)
    {
        run.Messages.ForEach(message => Refusal.CheckMessage(message, done));
        string[] said = [.. run.Messages.Where(message => message.Contains("is not whole and is passed over", StringComparison.Ordinal))];
        Assert.HasCount(start == 7 ? 0 : 1, said, done);
        Assert.IsTrue(start is 5 or 7, $"{done}: step {start}");
        return said.Length;
    }
}
