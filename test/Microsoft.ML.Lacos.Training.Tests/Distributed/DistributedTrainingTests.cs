using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Distributed;
using Microsoft.ML.Lacos.Training.Tests.Trainer;

namespace Microsoft.ML.Lacos.Training.Tests.Distributed;

[TestClass]
public sealed class DistributedTrainingTests
{
    // Relative: sums over tokens are rounded in another order, and over int8 a last bit of an adapter may move a code.
    private const double Tolerance = 1e-4;
    private const double Int8Tolerance = 2e-2;

    private static readonly TemporaryFolder Folder = new();

    [ClassInitialize]
    public static void SaveModel(TestContext context)
    {
        using LacosModel model = LacosModel.LoadDefault();
        model.SaveFolder(Folder.File("model"));
    }

    [ClassCleanup]
    public static void Clean() => Folder.Dispose();

    [TestMethod]
    [DataRow(2, 8, 8)]
    [DataRow(3, 8, 2)]
    [DataRow(4, 3, 8)]
    public void RanksTakeTheStepsOfOneProcessOnTheWholeBatch(int ranks, int batch, int chunk)
    {
        void Set(LacosBloomTrainer.Options options)
        {
            (options.BatchSize, options.MiniBatchSize, options.LoraDropout) = (batch, chunk, 0.2);
            (options.NegativeColumnNames, options.BothDirections) = (["Negative"], true);
        }
        AssertClose(Train(1, Set), Train(ranks, Set));
    }

    [TestMethod]
    [DataRow(TrainingLoss.CoSent)]
    [DataRow(TrainingLoss.Softmax)]
    [DataRow(TrainingLoss.CosineSimilarity)]
    [DataRow(TrainingLoss.Contrastive)]
    public void EveryKindOfLabelIsSharedOut(TrainingLoss loss)
    {
        void Set(LacosBloomTrainer.Options options) => (options.Loss, options.BatchSize, options.MiniBatchSize) = (loss, 6, 6);
        AssertClose(Train(1, Set), Train(2, Set));
    }

    [TestMethod]
    public void BatchesWithoutAPairToPutInOrderAreSharedOutToo()
    {
        void Set(LacosBloomTrainer.Options options) => (options.Loss, options.BatchSize, options.MiniBatchSize, options.Steps) = (TrainingLoss.CoSent, 3, 1, 8);
        static void OneOther(List<Sentences.Pair> pairs) => pairs.ForEach(pair => pair.Label = pair == pairs[0] ? 1 : 0);
        AssertClose(Train(1, Set, OneOther), Train(2, Set, OneOther));
    }

    [TestMethod]
    public void EveryRankPutsTheSecondPromptBeforeItsSecondSentences()
    {
        void Set(LacosBloomTrainer.Options options) => (options.Prompt, options.Sentence2Prompt, options.NegativeColumnNames) = ("query: ", "passage: ", ["Negative"]);
        AssertClose(Train(1, Set), Train(2, Set));
        (_, Exception?[] errors) = ThreadGroup.Outcomes(2, group => TrainOne(group, options => options.Sentence2Prompt = group.Rank == 0 ? "passage: " : "document: "));
        StringAssert.Contains(errors[1]!.Message, "'second_prompt': document:  here, passage:  there");
    }

    [TestMethod]
    public void AStoppedAndResumedRunGivesTheSameBytesAndRankZeroAloneWrites()
    {
        using var folder = new TemporaryFolder();
        byte[] Run(string name, int stopAt, bool resume)
        {
            Train(2, options => (options.OutputFolder, options.StopAtStep, options.Resume, options.LoraDropout, options.CheckpointEvery) = (folder.File(name), stopAt, resume, 0.1, 2));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
        byte[] whole = Run("whole", 0, false);
        byte[] half = Run("parts", 3, false);
        CollectionAssert.AreNotEqual(half, whole);
        CollectionAssert.AreEqual(whole, Run("parts", 0, true));
        Assert.HasCount(6, File.ReadAllLines(folder.File("parts", "train-log.jsonl")));
    }

    [TestMethod]
    public void EvaluationsChooseTheSameBestOnAllRanks()
    {
        var ml = new MLContext(1);
        double?[][] scores = ThreadGroup.Run(2, group =>
        {
            var seen = new List<double?>();
            LacosBloomTrainer.Options options = Options(group);
            (options.EvaluateEvery, options.Patience, options.LearningRate) = (1, 2, 0.05);
            options.Progress = new LacosBloomTrainerTests.Listener(progress => seen.Add(progress.Spearman));
            PeftAdapter adapter = ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(ml, 22), Sentences.Data(ml, 15));
            seen.Add(adapter.Modules.First().Value.B[0]);
            return seen.ToArray();
        });
        CollectionAssert.AreEqual(scores[0], scores[1]);
        Assert.DoesNotContain((double?)null, scores[0], "every step is evaluated");
        Assert.IsGreaterThan(1, scores[0][..^1].Distinct().Count());
    }

    [TestMethod]
    public void WhenOneRankIsCancelledAllStopAtTheSameStepWithACheckpoint()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var ml = new MLContext(1);
        (long[] _, Exception?[] errors) = ThreadGroup.Outcomes(2, group =>
        {
            LacosBloomTrainer.Options options = Options(group);
            options.OutputFolder = folder.File("run");
            options.Steps = 1000;
            if (group.Rank == 1)
            {
                options.CancellationToken = cancel.Token;
                options.Progress = new LacosBloomTrainerTests.Listener(progress =>
                {
                    if (progress.Step == 3)
                    {
                        cancel.Cancel();
                    }
                });
            }
            ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(ml, 22));
            return 0L;
        });
        foreach (Exception? error in errors)
        {
            Assert.IsInstanceOfType<OperationCanceledException>(error);
            StringAssert.Contains(error.Message, "after step 3");
        }
        Assert.AreEqual("step-00000003", Path.GetFileName(Directory.EnumerateDirectories(folder.File("run", "checkpoints")).Single()));
    }

    [TestMethod]
    public void RanksOfOtherDataOrOptionsAreRefusedBeforeAnythingIsWritten()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        (int[] _, Exception?[] errors) = ThreadGroup.Outcomes(2, group =>
        {
            LacosBloomTrainer.Options options = Options(group);
            (options.OutputFolder, options.CheckpointEvery) = (folder.File("run"), group.Rank == 0 ? 2 : 3);
            ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(ml, 22));
            return 0;
        });
        StringAssert.Contains(errors[1]!.Message, "'checkpoints': every 3 here, every 2 there");
        Assert.IsFalse(Directory.Exists(folder.File("run", "checkpoints")));
    }

    [TestMethod]
    public void RanksThatSeeAnotherFolderAreRefused()
    {
        using var folder = new TemporaryFolder();
        Train(1, options => (options.OutputFolder, options.StopAtStep) = (folder.File("0"), 2));
        (_, Exception?[] errors) = ThreadGroup.Outcomes(2, group => TrainOne(group, options => (options.OutputFolder, options.Resume) = (folder.File($"{group.Rank}"), true)));
        StringAssert.Contains(errors[1]!.Message, "'first step': 1 here, 3 there");
    }

    [TestMethod]
    public void RanksThatComeToHoldOtherWeightsStop()
    {
        using var folder = new TemporaryFolder();
        (_, Exception?[] errors) = ThreadGroup.Outcomes(2, group => TrainOne(group.Rank == 1 ? new Corrupting(group) : group, options => options.OutputFolder = folder.File("run")));
        foreach (Exception? error in errors)
        {
            StringAssert.Contains(error!.Message, "Step 6: rank 1 of 2 has other weights than rank 0");
        }
        Assert.IsFalse(File.Exists(folder.File("run", PeftAdapter.WeightsFileName)));
        Assert.IsEmpty(Directory.EnumerateDirectories(folder.File("run", "checkpoints")));
    }

    [TestMethod]
    public void ADryRunIsSharedToo()
    {
        var ml = new MLContext(1);
        TrainingPlan[] plans = ThreadGroup.Run(2, group => ml.Regression.Trainers.LacosBloom(Options(group)).Plan(Sentences.Data(ml, 22)));
        Assert.AreEqual(plans[0].TotalSteps, plans[1].TotalSteps);
        Assert.AreEqual(6, plans[0].StepsLeft);
    }

    [TestMethod]
    public void ADryRunRefusesRanksThatTheRunWould()
    {
        var ml = new MLContext(1);
        (_, Exception?[] errors) = ThreadGroup.Outcomes(2, group =>
        {
            LacosBloomTrainer.Options options = Options(group);
            options.BatchSize = group.Rank == 0 ? 4 : 3;
            return ml.Regression.Trainers.LacosBloom(options).Plan(Sentences.Data(ml, 22));
        });
        StringAssert.Contains(errors[1]!.Message, "'batch_size': 3 in chunks of 4 here, 4 in chunks of 4 there");
    }

    [TestMethod]
    public void AnInt8BaseTrainsTogetherToo()
    {
        static void Set(LacosBloomTrainer.Options options) => (options.Model, options.BaseScheme, options.BatchSize, options.MiniBatchSize) = (null, null, 5, 2);
        AssertClose(Train(1, Set), Train(2, Set), Int8Tolerance);
    }

    /// <summary>Gets a bit of the gradients' sums wrong.</summary>
    private sealed class Corrupting(IProcessGroup group) : IProcessGroup
    {
        private bool _areSums;

        public int Rank => group.Rank;

        public int Count => group.Count;

        public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
        {
            group.AllGather(own, all);
            if (_areSums)
            {
                all[2] ^= 1;
            }
            _areSums = false;
        }

        public void AllToAll(ReadOnlySpan<byte> sent, Span<byte> received)
        {
            group.AllToAll(sent, received);
            _areSums = true;
        }

        public void Broadcast(Span<byte> data) => group.Broadcast(data);
    }

    private static LacosBloomTrainer.Options Options(IProcessGroup? group)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(6);
        (options.Model, options.BaseScheme, options.ProcessGroup) = (Folder.File("model"), QuantizationScheme.None, group);
        return options;
    }

    private static PeftAdapter TrainOne(IProcessGroup? group, Action<LacosBloomTrainer.Options> set, Action<List<Sentences.Pair>>? change = null)
    {
        var ml = new MLContext(1);
        LacosBloomTrainer.Options options = Options(group);
        set(options);
        List<Sentences.Pair> pairs = Sentences.Pairs(22);
        if (options.Loss is TrainingLoss.Softmax or TrainingLoss.Contrastive)
        {
            pairs.ForEach(pair => pair.Label = pair.Label > 0.5f ? 1 : 0);
        }
        change?.Invoke(pairs);
        return ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs));
    }

    /// <summary>The adapter of every rank; one rank is a process of its own.</summary>
    private static PeftAdapter[] Train(int ranks, Action<LacosBloomTrainer.Options> set, Action<List<Sentences.Pair>>? change = null) =>
        ranks == 1 ? [TrainOne(null, set, change)] : ThreadGroup.Run(ranks, group => TrainOne(group, set, change));

    private static void AssertClose(PeftAdapter[] one, PeftAdapter[] many, double tolerance = Tolerance)
    {
        double difference = 0;
        double size = 0;
        foreach (PeftAdapter adapter in many)
        {
            Assert.HasCount(one[0].Modules.Count, adapter.Modules);
            foreach ((string name, LoraMatrices expected) in one[0].Modules)
            {
                LoraMatrices actual = adapter.Modules[name];
                CollectionAssert.AreEqual(many[0].Modules[name].A, actual.A, "ranks must have the same bits");
                CollectionAssert.AreEqual(many[0].Modules[name].B, actual.B, "ranks must have the same bits");
                difference += expected.B.Zip(actual.B, (left, right) => Math.Abs(left - right)).Sum(value => (double)value);
                size += expected.B.Sum(value => (double)Math.Abs(value));
            }
        }
        Console.WriteLine($"relative difference {difference / size:g3}");
        Assert.IsGreaterThan(1e-2, size, "nothing was learned, so nothing was compared");
        Assert.IsLessThan(tolerance, difference / size);
    }
}
