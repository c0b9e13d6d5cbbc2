using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class ResumeTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking, TrainingOptimizer.Adam8bit)]
    [DataRow(TrainingLoss.CoSent, TrainingOptimizer.AdamW)]
    public void AStoppedAndResumedRunGivesTheSameBytes(TrainingLoss loss, TrainingOptimizer optimizer)
    {
        using var folder = new TemporaryFolder();
        byte[] Train(string name, int stopAt, bool resume)
        {
            LacosBloomTrainer.Options options = Run(20, folder.File(name));
            (options.Loss, options.Optimizer, options.LoraRank, options.StopAtStep, options.Resume) = (loss, optimizer, 8, stopAt, resume);
            PeftAdapter adapter = _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 22));
            adapter.Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
        byte[] whole = Train("whole", 0, false);
        byte[] half = Train("parts", 10, false);
        byte[] resumed = Train("parts", 0, true);
        CollectionAssert.AreNotEqual(half, resumed);
        CollectionAssert.AreEqual(whole, resumed);
        Assert.HasCount(20, File.ReadAllLines(folder.File("parts", "train-log.jsonl")));
    }

    [TestMethod]
    [DataRow(7)]
    [DataRow(9)]
    public void AStopBetweenEvaluationsChangesNeitherTheBestNorThePatience(int stopAt)
    {
        using var folder = new TemporaryFolder();
        (byte[] Adapter, double?[] Scores) Train(string name, params int[] stops)
        {
            var scores = new List<double?>();
            PeftAdapter? adapter = null;
            for (int part = 0; part < stops.Length; part++)
            {
                LacosBloomTrainer.Options options = Run(12, folder.File(name));
                (options.LearningRate, options.EvaluateEvery, options.Patience, options.StopAtStep, options.Resume) = (0.02, 3, 2, stops[part], part > 0);
                options.Progress = new LacosBloomTrainerTests.Listener(progress => scores.Add(progress.Spearman));
                adapter = _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 22), Sentences.Data(_ml, 15));
            }
            adapter!.Save(folder.File(name));
            return (File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName)), [.. scores]);
        }
        (byte[] whole, double?[] scores) = Train("whole", 0);
        (byte[] parts, double?[] partScores) = Train("parts", stopAt, 0);
        CollectionAssert.AreEqual(scores, partScores);
        CollectionAssert.AreEqual(whole, parts);
    }

    [TestMethod]
    [DataRow(4)]
    [DataRow(8)]
    public void AnEvaluationThatWasInterruptedIsMadeOnResuming(int evaluatedStep)
    {
        using var folder = new TemporaryFolder();
        IDataView validation = Sentences.Data(_ml, 1200);
        byte[] whole = Train("whole", _ => { });
        using var cancel = new CancellationTokenSource();

        // From the step before on the run does not look at the token until the evaluation does, which takes much longer than this.
        Assert.ThrowsExactly<OperationCanceledException>(() => Train("parts", options =>
        {
            options.CancellationToken = cancel.Token;
            options.Progress = new LacosBloomTrainerTests.Listener(progress =>
            {
                if (progress.Step == evaluatedStep - 1)
                {
                    // A thread of its own: those of the pool may all be at work.
                    new Thread(() =>
                    {
                        Thread.Sleep(150);
                        cancel.Cancel();
                    }).Start();
                }
            });
        }));
        string newest = Directory.EnumerateDirectories(folder.File("parts", "checkpoints")).Max()!;
        Assert.Contains("\"evaluation_due\": true", File.ReadAllText(Path.Combine(newest, "manifest.json")));
        CollectionAssert.AreEqual(whole, Train("parts", options => options.Resume = true));
        CollectionAssert.AreEqual(Scores("whole"), Scores("parts"), "the log has the score that came later");

        string?[] Scores(string name) => [.. File.ReadLines(folder.File(name, "train-log.jsonl")).Select(line => JsonNode.Parse(line)!["spearman"]?.ToJsonString())];

        byte[] Train(string name, Action<LacosBloomTrainer.Options> change)
        {
            LacosBloomTrainer.Options options = Run(8, folder.File(name));
            (options.LearningRate, options.EvaluateEvery) = (0.05, 4);
            change(options);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 22), validation).Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
    }

    [TestMethod]
    public void OtherValidationDataOrNoneBeginTheChoiceOfTheBestAnew()
    {
        using var folder = new TemporaryFolder();
        var messages = new List<string>();
        _ml.Log += (_, message) => messages.Add(message.RawMessage);
        Train(4, false, Sentences.Data(_ml, 15));
        PeftAdapter last = Train(0, true, null);
        Assert.IsTrue(messages.Exists(message => message.Contains("no validation data any more", StringComparison.Ordinal)));
        CollectionAssert.AreEqual(Newest(folder).Modules.First().Value.B, last.Modules.First().Value.B);

        PeftAdapter Train(int stopAt, bool resume, IDataView? validation)
        {
            LacosBloomTrainer.Options options = Run(6, folder.File("run"));
            (options.LearningRate, options.EvaluateEvery, options.StopAtStep, options.Resume) = (0.05, 2, stopAt, resume);
            return _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 22), validation);
        }
    }

    [TestMethod]
    public void AFinishedRunIsJudgedOnTheValidationDataThatItIsResumedWith()
    {
        using var folder = new TemporaryFolder();
        byte[] Train(bool resume, IDataView? validation)
        {
            LacosBloomTrainer.Options options = Run(5, folder.File("run"));
            (options.LearningRate, options.EvaluateEvery, options.Resume) = (0.05, 2, resume);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 22), validation);
            return File.ReadAllBytes(folder.File("run", PeftAdapter.WeightsFileName));
        }
        byte[] last = Train(resume: false, null);
        CollectionAssert.AreEqual(last, Train(resume: true, Sentences.Data(_ml, 15)));
        Assert.IsNotNull(Log()[^1]!["spearman"], "there is always an evaluation after the last step");
        Assert.IsNull(Log()[^2]!["spearman"]);
        string manifest = File.ReadAllText(folder.File("run", "checkpoints", Checkpoints(folder)[^1], "manifest.json"));
        Assert.Contains("\"best_step\": 5", manifest);
        CollectionAssert.AreEqual(last, Train(resume: true, Sentences.Data(_ml, 15)));

        JsonNode?[] Log() => [.. File.ReadLines(folder.File("run", "train-log.jsonl")).Select(line => JsonNode.Parse(line))];
    }

    [TestMethod]
    public void ASecondRunInTheSameFolderIsRefusedWhileTheFirstRuns()
    {
        using var folder = new TemporaryFolder();
        InvalidOperationException? refusal = null;
        LacosBloomTrainer.Options options = Run(2, folder.File("run"));
        options.Progress = new LacosBloomTrainerTests.Listener(_ =>
        {
            LacosBloomTrainer.Options second = Run(2, folder.File("run"));
            second.Resume = true;
            refusal ??= Assert.ThrowsExactly<InvalidOperationException>(() => Fit(second));
        });
        Fit(options);
        Assert.Contains("Another run", refusal!.Message);
        Assert.IsFalse(File.Exists(folder.File("run", ".running")));
        LacosBloomTrainer.Options after = Run(2, folder.File("run"));
        after.Resume = true;
        Fit(after);
    }

    [TestMethod]
    public void WhatAKilledRunLeftHalfWrittenGoesAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("run"));
        string id = Guid.NewGuid().ToString("N");
        string[] left = [$".model.lacos.{id}.tmp", $".train-curves.png.{id}.tmp", $".train-log.jsonl.{id}.tmp", $".adapter_config.json.{id}.tmp", $".adapter_model.safetensors.{id}.tmp"];
        string[] others = [$".other.lacos.{id}.tmp", ".model.lacos.tmp", ".model.lacos.notes.tmp", $".model.lacos.{id}", $"model.lacos.{id}.tmp", $".model.lacos.{id}.{id}.tmp"];
        Array.ForEach([.. left, .. others], name => File.WriteAllText(folder.File("run", name), "half"));
        Fit(Run(1, folder.File("run")));
        CollectionAssert.AreEquivalent(others, Directory.EnumerateFiles(folder.File("run")).Select(Path.GetFileName).Where(name => name!.Contains(id, StringComparison.Ordinal) || name.EndsWith(".tmp", StringComparison.Ordinal)).ToArray());
    }

    [TestMethod]
    public void CancellingLeavesACheckpointThatIsContinued()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        LacosBloomTrainer.Options options = Run(6, folder.File("run"));
        options.CancellationToken = cancel.Token;
        options.Progress = new LacosBloomTrainerTests.Listener(progress => _ = progress.Step == 3 ? Task.Run(cancel.Cancel).Wait(1000) : false);
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(options));
        CollectionAssert.AreEqual(new[] { "step-00000003" }, Checkpoints(folder));
        LacosBloomTrainer.Options again = Run(6, folder.File("run"));
        again.Resume = true;
        var steps = new List<long>();
        again.Progress = new LacosBloomTrainerTests.Listener(progress => steps.Add(progress.Step));
        Fit(again);
        CollectionAssert.AreEqual(new long[] { 4, 5, 6 }, steps);
    }

    [TestMethod]
    public void ADamagedCheckpointIsPassedOverForTheOneBefore()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Run(8, folder.File("run"));
        (options.CheckpointEvery, options.KeepCheckpoints, options.StopAtStep) = (2, 2, 6);
        Fit(options);
        CollectionAssert.AreEqual(new[] { "step-00000004", "step-00000006" }, Checkpoints(folder));
        string state = folder.File("run", "checkpoints", "step-00000006", "training-state.safetensors");
        byte[] bytes = File.ReadAllBytes(state);
        bytes[^1] ^= 1;
        File.WriteAllBytes(state, bytes);
        var steps = new List<long>();
        (options.Resume, options.StopAtStep, options.Progress) = (true, 0, new LacosBloomTrainerTests.Listener(progress => steps.Add(progress.Step)));
        Fit(options);
        Assert.AreEqual(5, steps[0]);
    }

    [TestMethod]
    public void ACheckpointOfAnotherConfigurationOrVersionIsRefused()
    {
        using var folder = new TemporaryFolder();
        Fit(Run(2, folder.File("run")));
        Assert.Contains("holds checkpoints", Assert.ThrowsExactly<InvalidOperationException>(() => Fit(Run(2, folder.File("run")))).Message);
        LacosBloomTrainer.Options other = Run(2, folder.File("run"));
        (other.Resume, other.Seed) = (true, 2);
        Assert.Contains("seed", Assert.ThrowsExactly<InvalidDataException>(() => Fit(other)).Message);
        string manifest = folder.File("run", "checkpoints", "step-00000002", "manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"format\": 3", "\"format\": 9", StringComparison.Ordinal));
        File.Delete(folder.File("run", "checkpoints", "step-00000002", "manifest.sha256"));
        LacosBloomTrainer.Options same = Run(2, folder.File("run"));
        same.Resume = true;
        Assert.Contains("format 9", Assert.ThrowsExactly<NotSupportedException>(() => Fit(same)).Message);
    }

    [TestMethod]
    public void ALossThatBecomesNaNStopsTheRunWithStepAndRowsAndNoCheckpointHoldsBadWeights()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Run(20, folder.File("run"));
        (options.LearningRate, options.WarmupShare, options.Schedule, options.CheckpointEvery) = (1e38, 0, LearningRateSchedule.Constant, 1);
        InvalidOperationException error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(options));
        Assert.Contains("stopped at step", error.Message);
        Assert.Contains("rows", error.Message);
        foreach (string checkpoint in Checkpoints(folder))
        {
            PeftAdapter adapter = PeftAdapter.Load(folder.File("run", "checkpoints", checkpoint, "adapter"));
            Assert.IsTrue(adapter.Modules.Values.All(matrices => matrices.A.All(float.IsFinite)), checkpoint);
        }
    }

    private static LacosBloomTrainer.Options Run(int steps, string folder)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(steps);
        options.OutputFolder = folder;
        return options;
    }

    private void Fit(LacosBloomTrainer.Options options) => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));

    private static PeftAdapter Newest(TemporaryFolder folder) => PeftAdapter.Load(folder.File("run", "checkpoints", Checkpoints(folder)[^1], "adapter"));

    private static string[] Checkpoints(TemporaryFolder folder) =>
        [.. Directory.EnumerateDirectories(folder.File("run", "checkpoints")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}
