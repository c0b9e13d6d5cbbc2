using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Loop;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>A plan tells what the run would meet.</summary>
[TestClass]
public sealed class PlanTests
{
    private readonly MLContext _ml = new(1);
    private readonly List<string> _messages = [];

    public PlanTests() => _ml.Log += (_, message) => _messages.Add(message.RawMessage);

    [TestMethod]
    public void ADryRunTellsStepsAndMemory()
    {
        LacosBloomTrainer.Options options = Sentences.Quick(0);
        options.Epochs = 3;
        TrainingPlan plan = Plan(options);
        Assert.AreEqual(4, plan.StepsPerEpoch);
        Assert.AreEqual(12, plan.TotalSteps);
        Assert.AreEqual(12, plan.StepsLeft);
        Assert.AreEqual(32, plan.DistinctTexts);
        Assert.IsGreaterThan(plan.OptimizerBytes, plan.EstimatedBytes);
    }

    [TestMethod]
    public void ABatchOfMoreRowsThanThereAreIsEstimatedAsOneOfThoseThatThereAre()
    {
        LacosBloomTrainer.Options options = Sentences.Quick(0);
        (options.BatchSize, options.MiniBatchSize, options.Epochs) = (16, 16, 1);
        long expected = Plan(options).EstimatedBytes;
        (options.BatchSize, options.MiniBatchSize, options.Epochs) = (int.MaxValue, int.MaxValue, int.MaxValue);
        TrainingPlan plan = Plan(options);
        Assert.AreEqual(expected, plan.EstimatedBytes);
        Assert.AreEqual(int.MaxValue, plan.TotalSteps);
    }

    [TestMethod]
    public void ATimeBeyondWhatATimeCanBeIsTheLongestOne()
    {
        Assert.AreEqual(TimeSpan.FromHours(1), RunLength.TimeOf(0.5, 7200));
        Assert.AreEqual(RunLength.TimeOf(1, long.MaxValue), RunLength.TimeOf(3, long.MaxValue));
    }

    [TestMethod]
    public void TheMemoryToldIsThatOfTheWayTheBlocksRun()
    {
        if (BloomEncoders.ManagedReason is string reason)
        {
            Assert.Inconclusive($"Not run: {reason}");
        }
        using var folder = new TemporaryFolder();
        using LacosModel embedded = LacosModel.LoadDefault();
        embedded.Save(folder.File("model.lacos"));
        embedded.SaveFolder(folder.File("model"));
        BloomConfig config = embedded.Weights.Config;
        long layers = 12L * config.LayerCount * config.HiddenSize * config.HiddenSize;
        LacosBloomTrainer.Options options = Sentences.Quick(0);
        (options.Model, options.ActivationMemory) = (folder.File("model.lacos"), long.MaxValue);
        long kept = Plan(options).EstimatedBytes;

        // Of a mapped file the layers are in memory as they are packed and some rows of the table; of a folder the whole table, and the layers also as they were quantised.
        long whole = layers + ((long)config.VocabularySize * config.HiddenSize);
        options.Model = folder.File("model");
        Assert.IsInRange(0.9 * whole, 1.1 * whole, (double)(Plan(options).EstimatedBytes - kept));
        options.Model = folder.File("model.lacos");

        // Blocks that are computed again leave their input alone.
        options.ActivationMemory = 1;
        long again = Plan(options).EstimatedBytes;
        Assert.IsLessThan(kept, again);
        options.ValidationSet = Sentences.Data(_ml, 5);
        Assert.IsGreaterThanOrEqualTo(again + layers, Plan(options).EstimatedBytes);
    }

    [TestMethod]
    public void AFolderThatTheRunWouldBeRefusedIsRefusedAndNothingIsWritten()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Run(folder, stopAt: 0);
        Plan(options);
        Assert.IsFalse(Directory.Exists(folder.File("run")));
        Fit(options);
        Assert.Contains("holds checkpoints of an earlier run", Assert.ThrowsExactly<InvalidOperationException>(() => Plan(options)).Message);
        Directory.Delete(folder.File("run", "checkpoints"), recursive: true);
        string refusal = $"holds '{PeftAdapter.ConfigFileName}' and no checkpoints";
        Assert.Contains(refusal, Assert.ThrowsExactly<InvalidOperationException>(() => Plan(options)).Message);
        Assert.Contains(refusal, Assert.ThrowsExactly<InvalidOperationException>(() => Fit(options)).Message);
    }

    [TestMethod]
    public void OfAResumedRunOnlyTheStepsLeftCount()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Run(folder, stopAt: 4);
        Assert.AreEqual(4, Plan(options).StepsLeft);
        Fit(options);
        (options.Resume, options.StopAtStep) = (true, 0);
        string working = Directory.CreateDirectory(folder.File("run", "checkpoints", ".writing-of-a-run")).FullName;
        TrainingPlan plan = Plan(options);
        Assert.IsTrue(Directory.Exists(working), "a run may be writing there");
        Assert.AreEqual(6, plan.TotalSteps);
        Assert.AreEqual(2, plan.StepsLeft);
        Fit(options);
        plan = Plan(options);
        Assert.AreEqual(0, plan.StepsLeft);
        Assert.AreEqual(TimeSpan.Zero, plan.EstimatedTime);
    }

    [TestMethod]
    public void OfARunThatHasEndedEarlyNoStepIsLeft()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Run(folder, stopAt: 0);
        (options.ValidationSet, options.EvaluateEvery, options.Patience, options.LearningRate) = (Sentences.Data(_ml, 10), 1, 1, 1e-12);
        Fit(options);
        options.Resume = true;
        Assert.AreEqual(0, Plan(options).StepsLeft);
        options.Patience = 0;
        Assert.AreEqual(4, Plan(options).StepsLeft);
        (options.Patience, options.ValidationSet) = (1, Sentences.Data(_ml, 11));
        Assert.AreEqual(4, Plan(options).StepsLeft, "what other pairs say is not known yet");
    }

    [TestMethod]
    public void TrainingPairsThatStandInTheValidationSetAreNamed()
    {
        LacosBloomTrainer.Options options = Sentences.Quick(2);
        options.ValidationSet = Sentences.Data(_ml, 5);
        Plan(options);
        Assert.IsTrue(_messages.Exists(message => message.Contains("5 training row(s) stand in the validation set", StringComparison.Ordinal)));
    }

    private TrainingPlan Plan(LacosBloomTrainer.Options options) => _ml.Regression.Trainers.LacosBloom(options).Plan(Sentences.Data(_ml, 16));

    private void Fit(LacosBloomTrainer.Options options) => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));

    private static LacosBloomTrainer.Options Run(TemporaryFolder folder, int stopAt)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(6);
        (options.OutputFolder, options.StopAtStep) = (folder.File("run"), stopAt);
        return options;
    }
}
