using System.Security.Cryptography;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Checkpoints;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class DamagedCheckpointTests
{
    private readonly MLContext _ml = new(1);
    private readonly List<string> _messages = [];

    public DamagedCheckpointTests() => _ml.Log += (_, message) => _messages.Add(message.Message);

    [TestMethod]
    public void AManifestThatIsNotAsItWasWrittenIsPassedOver()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        PassedOver(folder, path => Edit(path, "\"step\": 6", "\"step\": 9000000000000000000"), "manifest.json");
        PassedOver(folder, path => Edit(path, "\"batch\": 2", "\"batch\": 1"), "manifest.json");
        PassedOver(folder, path => Edit(path, "\"evaluations_without_gain\": 0", "\"evaluations_without_gain\": 1"), "manifest.json");
        PassedOver(folder, path => Edit(path, "\"format\": 3", "\"format\": 2"), "manifest.json");
        PassedOver(folder, path => Edit(path, "\"seed\": \"1\"", "\"seed\": \"2\""), "manifest.json");
        PassedOver(folder, path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]), "manifest.json");
        PassedOver(folder, path => File.Delete(HashOf(path)), "'manifest.sha256' is missing");
        PassedOver(folder, path => File.WriteAllText(HashOf(path), ""), "manifest.sha256");
    }

    [TestMethod]
    public void AManifestThatSaysWhatCannotBeIsPassedOverWhateverItsHash()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        PassedOver(folder, path => Sign(path, "\"step\": 6", "\"step\": 5"), "of step 5");
        PassedOver(folder, path => Sign(path, "\"step\": 6", "\"step\": -3"), "of step -3");
        PassedOver(folder, path => Sign(path, "\"step\": 6", "\"step\": 9000000000000000000"), "of step 9000000000000000000");
        PassedOver(folder, path => Sign(path, "\"step\": 6", "\"step\": 1e99"), "");
        PassedOver(folder, path => Sign(path, "\"step\": 6", "\"step\": 6,\n  \"step\": 6"), "step");
        PassedOver(folder, path => Sign(path, "\"epoch\": 1", "\"epoch\": -1"), "samplers[0]: epoch' is -1");
        PassedOver(folder, path => Sign(path, "\"epoch\": 1", "\"epoch\": 2"), "pass 2");
        PassedOver(folder, path => Sign(path, "\"batch\": 2", "\"batch\": 1"), "batch 1");
        PassedOver(folder, path => Sign(path, "\"evaluations_without_gain\": 0", "\"evaluations_without_gain\": -1"), "evaluations_without_gain' is -1");
        PassedOver(folder, path => Sign(path, "\"best_step\": null", "\"best_step\": 7"), "step 7");
        PassedOver(folder, path => Sign(path, "\"samplers\": [", "\"samplers\": [ null,"), "");
        PassedOver(folder, path => Sign(path, "\"adapter/adapter_config.json\"", "\"adapter\""), "");
        PassedOver(folder, path => Sign(path, "\"adapter/adapter_config.json\"", "\"adapter/\\u0000\""), "");
        PassedOver(folder, path => Sign(path, "\"adapter/adapter_config.json\"", "\"../../../adapter_config.json\""), "");
        PassedOver(folder, path => Sign(path, "{", "[{"), "");
    }

    [TestMethod]
    public void AStepBeyondTheRunsLastIsPassedOver()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        PassedOver(folder, path =>
        {
            Sign(path, "\"step\": 6", "\"step\": 9000000000000000000");
            string beyond = Path.Combine(Path.GetDirectoryName(path)!, "..", "step-9000000000000000000");
            Directory.Move(Path.GetDirectoryName(path)!, beyond);
        }, "of step 9000000000000000000 of 8");
    }

    [TestMethod]
    public void AManifestThatIsAFolderIsPassedOver()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        PassedOver(folder, path =>
        {
            File.Delete(path);
            Directory.CreateDirectory(path);
        }, "");
    }

    [TestMethod]
    public void ARunWhoseCheckpointsAreAllDamagedIsNotBegunAnew()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        Sign(Manifest(folder.File("run"), 4), "\"epoch\": 0", "\"epoch\": 1");
        Edit(Manifest(folder.File("run"), 6), "\"step\": 6", "\"step\": 5");
        byte[] log = File.ReadAllBytes(folder.File("run", "train-log.jsonl"));
        string refusal = Assert.ThrowsExactly<InvalidDataException>(() => FirstStep(folder.File("run"))).Message;
        Assert.Contains($"All 2 checkpoint(s) in '{folder.File("run", "checkpoints")}' are damaged", refusal);
        Assert.Contains("Delete them to start anew", refusal);
        CollectionAssert.AreEqual(log, File.ReadAllBytes(folder.File("run", "train-log.jsonl")));
        Directory.Delete(folder.File("run", "checkpoints", "step-00000004"), recursive: true);
        Directory.Delete(folder.File("run", "checkpoints", "step-00000006"), recursive: true);
        Assert.AreEqual(1, FirstStep(folder.File("run")), "without any checkpoint the run begins anew");
        Assert.IsTrue(_messages.Exists(message => message.Contains("starts from the beginning", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void DamagedCheckpointsDoNotCountAmongThoseToKeep()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        Edit(Manifest(folder.File("run"), 6), "\"step\": 6", "\"step\": 5");
        LacosBloomTrainer.Options options = Run(folder.File("run"), 5);
        options.Resume = true;
        Fit(options);
        string[] kept = [.. Directory.EnumerateDirectories(folder.File("run", "checkpoints")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(new[] { "step-00000004", "step-00000005", "step-00000006" }, kept);
    }

    [TestMethod]
    public void ALogWithADamagedLineDoesNotStopAGoodResume()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        string log = folder.File("run", "train-log.jsonl");
        string[] lines = File.ReadAllLines(log);
        lines[2] = """{"step":3,"step":3}""";
        File.WriteAllLines(log, lines);
        Assert.AreEqual(7, FirstStep(folder.File("run")));
        CollectionAssert.AreEqual((string[])[.. lines[..2], .. lines[3..]], File.ReadAllLines(log)[..5]);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void ACheckpointThatWasBeingReplacedWhenTheProcessWasKilledIsNotLost(bool isNewOneThere)
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        string checkpoints = folder.File("run", "checkpoints");
        string aside = Path.Combine(checkpoints, ".replaced-step-00000006");
        if (isNewOneThere)
        {
            Directory.CreateDirectory(aside);
        }
        else
        {
            Directory.Move(Path.Combine(checkpoints, "step-00000006"), aside);
        }
        Directory.CreateDirectory(Path.Combine(checkpoints, ".writing-1"));
        LacosBloomTrainer.Options options = Run(folder.File("run"), 7);
        options.Resume = true;
        var steps = new List<long>();
        options.Progress = new LacosBloomTrainerTests.Listener(progress => steps.Add(progress.Step));
        Fit(options);
        Assert.AreEqual(7, steps[0]);
        string[] kept = [.. Directory.EnumerateDirectories(checkpoints).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(new[] { "step-00000006", "step-00000007" }, kept);
    }

    [TestMethod]
    public void ACheckpointOfTheSameStepIsNotDeletedBeforeTheNewOneIsThere()
    {
        using var folder = new TemporaryFolder();
        Stop(folder, 6);
        string newest = folder.File("run", "checkpoints", "step-00000006");
        var checkpoints = new CheckpointFolder(folder.File("run"), CheckpointManifest.Read(newest).Settings, keep: 2);
        CheckpointState state = checkpoints.ReadNewest(_ => { }, _messages.Add)!;
        var renamed = new List<string>();
        using var last = new ManualResetEventSlim();
        using var watcher = new FileSystemWatcher(checkpoints.FullName) { NotifyFilter = NotifyFilters.DirectoryName, EnableRaisingEvents = true };
        watcher.Renamed += (_, change) =>
        {
            renamed.Add($"{(change.OldName!.StartsWith(".writing-", StringComparison.Ordinal) ? "new" : change.OldName)} to {change.Name}");
            if (change.Name == "step-00000006")
            {
                last.Set();
            }
        };
        checkpoints.Write(state);
        Assert.IsTrue(last.Wait(TimeSpan.FromMinutes(1)));
        CollectionAssert.AreEqual(new[] { "step-00000006 to .replaced-step-00000006", "new to step-00000006" }, renamed);
        CollectionAssert.AreEqual(new[] { "step-00000006", "step-00000004" }, checkpoints.Folders.Select(Path.GetFileName).ToArray());
        Assert.HasCount(2, Directory.GetDirectories(checkpoints.FullName));
    }

    private void Stop(TemporaryFolder folder, int step) => Fit(Run(folder.File("run"), step));

    // A copy of the run, whose newest checkpoint is damaged, must go on from the one before.
    private void PassedOver(TemporaryFolder folder, Action<string> damage, string reason)
    {
        string copy = folder.File(Guid.NewGuid().ToString("N"));
        foreach (string file in Directory.EnumerateFiles(folder.File("run"), "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(copy, Path.GetRelativePath(folder.File("run"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        damage(Manifest(copy, 6));
        _messages.Clear();
        Assert.AreEqual(5, FirstStep(copy), reason);
        Assert.IsTrue(_messages.Exists(message => message.Contains("is not whole and is passed over", StringComparison.Ordinal) && message.Contains(reason, StringComparison.Ordinal)), $"{reason}: {string.Join('\n', _messages)}");
    }

    private long FirstStep(string folder)
    {
        var steps = new List<long>();
        LacosBloomTrainer.Options options = Run(folder, 0);
        (options.Resume, options.Progress) = (true, new LacosBloomTrainerTests.Listener(progress => steps.Add(progress.Step)));
        Fit(options);
        return steps[0];
    }

    private static LacosBloomTrainer.Options Run(string folder, int stopAt)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(8);
        (options.OutputFolder, options.CheckpointEvery, options.KeepCheckpoints, options.StopAtStep) = (folder, 2, 2, stopAt);
        return options;
    }

    private void Fit(LacosBloomTrainer.Options options) => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));

    private static string Manifest(string run, int step) => Path.Combine(run, "checkpoints", $"step-{step:D8}", "manifest.json");

    private static string HashOf(string manifest) => Path.ChangeExtension(manifest, ".sha256");

    private static void Edit(string manifest, string from, string to)
    {
        string text = File.ReadAllText(manifest);
        Assert.Contains(from, text);
        int at = text.IndexOf(from, StringComparison.Ordinal);
        File.WriteAllText(manifest, string.Concat(text.AsSpan(0, at), to, text.AsSpan(at + from.Length)));
    }

    private static void Sign(string manifest, string from, string to)
    {
        Edit(manifest, from, to);
        File.WriteAllText(HashOf(manifest), $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(manifest)))}  manifest.json\n");
    }
}
