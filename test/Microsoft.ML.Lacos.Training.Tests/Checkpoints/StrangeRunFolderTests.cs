using System.Text;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Damage;
using Microsoft.ML.Lacos.Training.Checkpoints;

namespace Microsoft.ML.Lacos.Training.Tests.Checkpoints;

/// <summary>Folders of runs in which something stands that no run writes.</summary>
[TestClass]
public sealed class StrangeRunFolderTests
{
    private const string Adapter = "adapter/adapter_model.safetensors", Config = "best/adapter_config.json", State = "training-state.safetensors";

    private readonly TemporaryFolder _folder = new();
    private readonly LetterRun _run;

    public StrangeRunFolderTests()
    {
        _run = new LetterRun(_folder.File("model"));
        _run.Train(Output, 6, resume: false);
    }

    private string Output => _folder.File("run");

    private string Newest => Path.Combine(Output, LetterRun.Newest);

    [TestCleanup]
    public void Remove() => _folder.Dispose();

    [TestMethod]
    [DataRow("manifest.json")]
    [DataRow("manifest.sha256")]
    [DataRow(Adapter)]
    [DataRow(State)]
    public void APipeInACheckpointIsNotWaitedFor(string name)
    {
        File.Delete(Path.Combine(Newest, name));
        SpecialFile.Pipe(Path.Combine(Newest, name));
        PassedOver($"'{name}' is a pipe, where a file belongs");
    }

    [TestMethod]
    [DataRow("manifest.json")]
    [DataRow(State)]
    public void ADeviceWithoutAnEndIsNotRead(string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: what is no file is told from a file on Linux only.");
        }
        File.Delete(Path.Combine(Newest, name));
        File.CreateSymbolicLink(Path.Combine(Newest, name), "/dev/zero");
        PassedOver($"'{name}' is a device, where a file belongs");
    }

    [TestMethod]
    public void AFileInPlaceOfACheckpointIsPassedOverAndReplacedByTheNextOne()
    {
        Directory.Delete(Newest, recursive: true);
        File.WriteAllText(Newest, "");
        PassedOver("It is no folder");
        Assert.IsTrue(File.Exists(Path.Combine(Newest, "manifest.json")), "step 6 was made again");
    }

    [TestMethod]
    public void AnAdapterOfAnotherKindIsPassedOver()
    {
        Edit(Config, "\"use_dora\": false", "\"use_dora\": true");
        PassedOver("'use_dora'");
    }

    [TestMethod]
    public void TheBestAdapterIsLookedAtBeforeTheFirstStepAndNotAfterTheLast()
    {
        Edit(Config, "\"lora_alpha\": 16", "\"lora_alpha\": 17");
        PassedOver("scales the update of 'h.0.self_attention.query_key_value' by 8.5, this run by 8");
    }

    [TestMethod]
    public void ACheckpointThatDoesNotNameItsConfigurationIsPassedOver()
    {
        Edit("manifest.json", $"\"{Config}\"", "\"manifest.sha256\"");
        PassedOver("manifest.sha256");
        LetterRun.Sign(Newest, null);
    }

    [TestMethod]
    [DataRow("\"best_spearman\": 0", "\"best_spearman\": 7", "Spearman 7")]
    [DataRow("\"best_step\": 3", "\"best_step\": null", "step none")]
    [DataRow("\"best_step\": 3", "\"best_step\": 0", "step 0")]
    [DataRow("\"samplers\": [", "\"samplers\": [7,", "'manifest.json: samplers[0]' is 7, expected an object")]
    [DataRow("\"step\": 6", "\"step\": \"6\"", "'manifest.json: step' is \"6\", expected a whole number")]
    [DataRow("\"evaluation_due\":", "\"evaluation_dew\":", "'manifest.json: evaluation_due' is missing")]
    [DataRow("\"validation\": \"", "\"validation\": \"x", "sha256 of the validation data")]
    public void AManifestThatSaysWhatCannotBeIsPassedOverWithKeyAndValue(string part, string replacement, string reason)
    {
        Edit("manifest.json", part, replacement);
        PassedOver(reason);
    }

    [TestMethod]
    [DataRow("\"loss\": \"", "\"loss\": \"\\u001b[2J", "its loss is '")]
    [DataRow("\"settings\": {", "\"settings\": {\"\\u001b[2J\": \"1\",", "[2J is '1', this run's is not given")]
    public void ASettingOfAStrangerIsShownShortAndClean(string part, string replacement, string reason)
    {
        Edit("manifest.json", part, replacement + (reason.Contains("loss", StringComparison.Ordinal) ? new string('x', 5000) : ""));
        Refused(reason);
    }

    [TestMethod]
    public void AStateThatDoesNotFitIsPassedOver()
    {
        string path = Path.Combine(Newest, State);
        Dictionary<string, Array> arrays = StateArrays.Read(path);
        byte[] whole = File.ReadAllBytes(path);
        Spoil("steps", new long[] { 1 }, "'steps'");
        Spoil("learned-by-loss.1.weight", new float[] { float.NaN }, "'1.weight'");
        Spoil("learned-by-loss.2.weight", new float[1], "arrays that a loss has learned");
        Spoil("unheard-of", new float[1], "'unheard-of'");

        void Spoil(string name, Array values, string reason)
        {
            StateArrays.Write(path, new Dictionary<string, Array>(arrays) { [name] = values });
            LetterRun.Sign(Newest, State);
            PassedOver(reason, copy: true);
            File.WriteAllBytes(path, whole);
        }
    }

    [TestMethod]
    [DataRow("train-log.jsonl", "a pipe")]
    [DataRow("train-log.jsonl", "a folder")]
    [DataRow("adapter_model.safetensors", "a folder")]
    [DataRow("model.lacos", "a folder")]
    public void WhatAFinishedFileCannotReplaceIsNamedBeforeTheFirstStep(string name, string kind)
    {
        string path = Path.Combine(Output, name);
        File.Delete(path);
        _ = kind == "a pipe" ? SpecialFile.Pipe(path) : Directory.CreateDirectory(path).FullName;
        Refused($"'{path}' is {kind}, where a file of the run belongs. Move it away, or name another folder.");
    }

    [TestMethod]
    public void AFileInPlaceOfTheFolderOfCheckpointsIsNamed()
    {
        foreach (string name in new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName })
        {
            File.Delete(Path.Combine(Output, name));
        }
        string path = Path.Combine(Output, "checkpoints");
        Directory.Delete(path, recursive: true);
        File.WriteAllText(path, "");
        Refused($"'{path}' is no folder, where the checkpoints of the run belong");
    }

    [TestMethod]
    public void AFolderInPlaceOfTheLockIsNamed()
    {
        Directory.CreateDirectory(Path.Combine(Output, ".running"));
        Refused(".running");
    }

    [TestMethod]
    public void LinesOfTheLogThatAreNoneAreDroppedWithoutBeingHeld()
    {
        string log = Path.Combine(Output, "train-log.jsonl");
        byte[] lines = File.ReadAllBytes(log);
        byte[][] strange = [[.. Enumerable.Repeat((byte)'x', 300_000)], [.. "{\"step\":3,\"loss\":\""u8, 0xFF, .. "\"}"u8], [.. "{\"step\":-1}"u8], [.. "[3]"u8], [.. "{\"step\":1e2}"u8], [0], [], [.. Encoding.UTF8.GetBytes($"{{\"step\":3,\"loss\":\"{new string('y', 70_000)}\"}}")]];
        File.WriteAllBytes(log, [.. strange.SelectMany(line => line.Append((byte)'\n')), .. lines, .. "{\"step\":6,\"lo"u8]);
        Assert.AreEqual(7, _run.Train(Output, 0, resume: true).FirstStep);
        byte[] after = File.ReadAllBytes(log);
        CollectionAssert.AreEqual(lines, after[..lines.Length]);
        Assert.AreEqual(8, after.Count(letter => letter == '\n'));
    }

    private void Edit(string name, string part, string replacement)
    {
        string path = Path.Combine(Newest, name), text = File.ReadAllText(path);
        Assert.Contains(part, text);
        File.WriteAllText(path, text.Replace(part, replacement, StringComparison.Ordinal));
        LetterRun.Sign(Newest, name == "manifest.json" ? null : name);
    }

    private void PassedOver(string reason, bool copy = false)
    {
        string run = copy ? _folder.File(Guid.NewGuid().ToString("N")) : Output;
        if (copy)
        {
            new FolderDamage(Output).WriteTo(run);
        }
        _run.Messages.Clear();
        long first = 0;
        Assert.IsNull(Refusal.Of(() => first = _run.Train(run, 0, resume: true).FirstStep, reason));
        Assert.AreEqual(5, first, reason);
        Assert.IsTrue(_run.Messages.Exists(message => message.Contains("is not whole and is passed over", StringComparison.Ordinal) && message.Contains(reason, StringComparison.Ordinal)), $"{reason}: {string.Join('\n', _run.Messages)}");
    }

    private void Refused(string reason)
    {
        string before = FolderDamage.Describe(Output);
        Exception? error = Refusal.Of(() => _run.Train(Output, 0, resume: true), reason);
        Assert.IsNotNull(error);
        Assert.Contains(reason, error.Message);
        Assert.AreEqual(before, FolderDamage.Describe(Output));
    }
}
