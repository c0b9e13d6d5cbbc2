using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class LacosBloomTrainerTests
{
    [TestMethod]
    public void TheFittedTransformerAddsVectorsAndTheirCosineAndSurvivesSaving()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        IDataView data = Sentences.Data(ml, 16);
        LacosBloomTrainer trainer = ml.Regression.Trainers.LacosBloom(Sentences.Quick(2));
        using SentenceEmbeddingTransformer fitted = trainer.Fit(data);
        IDataView scored = fitted.Transform(data);
        float[] scores = [.. scored.GetColumn<float>("Score")];
        float[][] first = [.. scored.GetColumn<float[]>("Embedding1")], second = [.. scored.GetColumn<float[]>("Embedding2")];
        for (int row = 0; row < scores.Length; row++)
        {
            Assert.AreEqual(first[row].Zip(second[row], (a, b) => a * b).Sum(), scores[row], 1e-4f);
        }
        string path = folder.File("model.zip");
        ml.Model.Save(fitted, data.Schema, path);
        ITransformer loaded = new MLContext().Model.Load(path, out _);
        CollectionAssert.AreEqual(scores, loaded.Transform(data).GetColumn<float>("Score").ToArray());
        using SentenceEmbeddingTransformer alone = fitted.ForColumn("Features", "Sentence1");
        CollectionAssert.AreEqual(first[3], alone.Transform(data).GetColumn<float[]>("Features").ElementAt(3));
        using SentenceEmbeddingTransformer untrained = ml.Transforms.Text.ApplySentenceEmbedding("Features", "Sentence1").Fit(data);
        Assert.AreNotEqual(untrained.Fingerprint, fitted.Fingerprint, "training has an effect");
    }

    [TestMethod]
    public void TrainingLowersTheLossOnTheDataItSees()
    {
        var ml = new MLContext(1);
        var losses = new List<double>();
        LacosBloomTrainer.Options options = Sentences.Quick(24);
        options.LearningRate = 5e-3;
        options.LoraDropout = 0;
        options.Progress = new Listener(progress => losses.Add(progress.Loss));
        ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(ml, 8));
        Assert.HasCount(24, losses);
        Assert.IsLessThan(0.8 * losses.Take(4).Average(), losses.TakeLast(4).Average());
    }

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking)]
    [DataRow(TrainingLoss.CoSent)]
    [DataRow(TrainingLoss.Angle)]
    [DataRow(TrainingLoss.CosineSimilarity)]
    [DataRow(TrainingLoss.Contrastive)]
    [DataRow(TrainingLoss.Softmax)]
    public void EachLossTrainsWithItsLabelsAndAGradientCache(TrainingLoss loss)
    {
        var ml = new MLContext(1);
        List<Sentences.Pair> pairs = Sentences.Pairs(12);
        foreach (Sentences.Pair pair in pairs)
        {
            pair.Label = loss is TrainingLoss.Contrastive or TrainingLoss.Softmax ? MathF.Round(pair.Label) : pair.Label;
        }
        LacosBloomTrainer.Options options = Sentences.Quick(2);
        options.Loss = loss;
        options.MiniBatchSize = 3;
        options.NegativeColumnNames = loss == TrainingLoss.MultipleNegativesRanking ? ["Negative"] : [];
        options.MatryoshkaDimensions = loss is TrainingLoss.CoSent or TrainingLoss.Softmax ? [64, 32] : [];
        var seen = new List<TrainingProgress>();
        options.Progress = new Listener(seen.Add);
        ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs));
        Assert.IsTrue(seen.Count == 2 && seen.All(progress => double.IsFinite(progress.Loss)));
        Assert.IsGreaterThan(0, seen[0].GradientNorm);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void TheClassifierOfSoftmaxTakesVectorsAsTheModelGivesThem(bool normalize)
    {
        var ml = new MLContext(1);
        using LacosModel standard = LacosModel.LoadDefault();
        using LacosModel model = standard.With(standard.Settings with { Normalize = normalize });
        using var folder = new TemporaryFolder();
        model.Save(folder.File("model.lacos"));
        List<Sentences.Pair> pairs = Sentences.Pairs(4);
        for (int i = 0; i < pairs.Count; i++)
        {
            pairs[i].Label = i % 3;
        }
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        (options.Model, options.Loss, options.LoraDropout, options.Seed) = (folder.File("model.lacos"), TrainingLoss.Softmax, 0, 3);
        var losses = new List<double>();
        options.Progress = new Listener(progress => losses.Add(progress.Loss));
        ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs));

        using SentenceEncoder encoder = SentenceEncoder.Create(model);
        using var loss = new SoftmaxLoss(384, 3, seed: 3);
        torch.Tensor Vectors(Func<Sentences.Pair, string> text) => torch.tensor(pairs.SelectMany(pair => encoder.Encode(text(pair))).ToArray(), [4, 384]);
        double expected = loss.Forward([Vectors(pair => pair.Sentence1), Vectors(pair => pair.Sentence2)], torch.tensor(pairs.Select(pair => (long)pair.Label).ToArray())).item<float>();
        Assert.AreEqual(expected, losses[0], 2e-3);
    }

    [TestMethod]
    public void TheBestAdapterOnTheValidationSetIsKept()
    {
        var ml = new MLContext(1);
        var spearmen = new List<double>();
        LacosBloomTrainer.Options options = Sentences.Quick(6);
        options.EvaluateEvery = 2;
        options.LearningRate = 0.05;
        options.Progress = new Listener(progress => spearmen.AddRange(progress.Spearman is double value ? [value] : []));
        IDataView validation = Sentences.Data(ml, 15);
        using SentenceEmbeddingTransformer fitted = ml.Regression.Trainers.LacosBloom(options).Fit(Sentences.Data(ml, 16), validation);
        Assert.HasCount(3, spearmen);
        Assert.AreEqual(spearmen.Max(), ml.Regression.EvaluateSentenceSimilarity(fitted.Transform(validation)).CosineSpearman, 1e-9);
    }

    [TestMethod]
    public void AFinishedFitLeavesTheAdapterThatWasKeptAlsoInAChain()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(1);
        IDataView data = Sentences.Data(ml, 16);
        using var model = ml.Transforms.CopyColumns("Copy", "Label").Append(ml.Regression.Trainers.LacosBloom(Options("chain"))).Fit(data);
        LacosBloomTrainer.Options alone = Options("alone");
        alone.OutputFolder = null;
        ml.Regression.Trainers.LacosBloom(alone).FitAdapter(data).Save(folder.File("alone"));
        foreach (string name in new[] { PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName })
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("alone", name)), File.ReadAllBytes(folder.File("chain", name)), name);
        }
        string[] expected = [PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName, "checkpoints", "train-log.jsonl"];
        CollectionAssert.AreEquivalent(expected, Directory.EnumerateFileSystemEntries(folder.File("chain")).Select(Path.GetFileName).ToArray());

        LacosBloomTrainer.Options Options(string name)
        {
            LacosBloomTrainer.Options options = Sentences.Quick(4);
            (options.OutputFolder, options.EvaluateEvery, options.LearningRate, options.Strength) = (folder.File(name), 1, 0.05, 0.5);
            options.ValidationSet = Sentences.Data(ml, 15);
            return options;
        }
    }

    [TestMethod]
    public void ItWorksInAChainAndInCrossValidation()
    {
        var ml = new MLContext(1);
        IDataView data = Sentences.Data(ml, 16);
        IEstimator<ITransformer> chain = ml.Transforms.CopyColumns("Copy", "Label").Append(ml.Regression.Trainers.LacosBloom(Sentences.Quick(1)));
        var folds = ml.Regression.CrossValidate(data, chain, numberOfFolds: 2);
        Assert.HasCount(2, folds);
        Assert.IsTrue(folds.All(fold => double.IsFinite(fold.Metrics.MeanSquaredError)));
    }

    [TestMethod]
    public void UnfitDataIsRefusedWithRowAndColumn()
    {
        var ml = new MLContext(1);
        Refused<InvalidDataException>(pairs => pairs.RemoveRange(1, pairs.Count - 1), TrainingLoss.MultipleNegativesRanking, "1 row(s)", "at least 2 different ones");
        Refused<InvalidDataException>(pairs => pairs[3].Sentence2 = " ", TrainingLoss.MultipleNegativesRanking, "Row 3", "Sentence2");
        Refused<InvalidDataException>(pairs => pairs[2].Label = float.NaN, TrainingLoss.CoSent, "Row 2", "NaN");
        Refused<InvalidDataException>(pairs => pairs[2].Label = 5, TrainingLoss.CosineSimilarity, "Row 2", "divide");
        Refused<InvalidDataException>(_ => { }, TrainingLoss.Contrastive, "Row 1", "0 or 1");
        Refused<InvalidDataException>(_ => { }, TrainingLoss.Softmax, "Row 1", "class");
        Refused<InvalidDataException>(pairs => pairs.ForEach(pair => pair.Label = 0.5f), TrainingLoss.CoSent, "All 8 labels", "'Label'", "0.5");
        Refused<InvalidDataException>(pairs => pairs.ForEach(pair => pair.Sentence1 = "a"), TrainingLoss.MultipleNegativesRanking, "shares a text");
        foreach (TrainingLoss loss in new[] { TrainingLoss.MultipleNegativesRanking, TrainingLoss.CosineSimilarity, TrainingLoss.CoSent, TrainingLoss.Angle })
        {
            Refused<InvalidDataException>(pairs => pairs.ForEach(pair => (pair.Sentence1, pair.Sentence2) = ("a", "b")), loss, "the training data has 8 row(s)", "1 of them different", "at least 2 different ones");
        }

        void Refused<T>(Action<List<Sentences.Pair>> spoil, TrainingLoss loss, params string[] words)
            where T : Exception
        {
            List<Sentences.Pair> pairs = Sentences.Pairs(8);
            spoil(pairs);
            LacosBloomTrainer.Options options = Sentences.Quick(1);
            options.Loss = loss;
            T error = Assert.ThrowsExactly<T>(() => ml.Regression.Trainers.LacosBloom(options).FitAdapter(ml.Data.LoadFromEnumerable(pairs)));
            Array.ForEach(words, word => StringAssert.Contains(error.Message, word));
        }
    }

    [TestMethod]
    public void AMissingOrWrongColumnIsNamed()
    {
        var ml = new MLContext(1);
        IDataView data = Sentences.Data(ml, 4);
        Assert.Contains("'Nobody'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Regression.Trainers.LacosBloom("Nobody").Fit(data)).Message);
        Assert.Contains("'Label'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Regression.Trainers.LacosBloom("Sentence1", "Label").Fit(data)).Message);
        Assert.Contains("'Gold'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ml.Regression.Trainers.LacosBloom(labelColumnName: "Gold", loss: TrainingLoss.CoSent).Fit(data)).Message);
        Assert.Contains("LoraTargets", Assert.ThrowsExactly<ArgumentException>(() => ml.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options { LoraTargets = ["lm_head"] })).Message);
    }

    [TestMethod]
    public void OptionsThatNoTransformerCanHaveAreRefusedBeforeTheTraining()
    {
        Refused(options => options.Embedding2ColumnName = "Embedding1", "'Embedding1'");
        Refused(options => options.ScoreColumnName = "Embedding1", "'Embedding1'");
        Refused(options => options.Compute = (BloomCompute)77, "Compute is 77");
        Refused(options => options.Pooling = PoolingModes.None, "Pooling must be");
        Refused(options => options.MatryoshkaDimensions = [64, 0], "MatryoshkaDimensions is [64, 0]");
        Refused(options => options.MatryoshkaDimensions = [8, 8], "MatryoshkaDimensions is [8, 8]");
        Refused(options => (options.Loss, options.MatryoshkaDimensions) = (TrainingLoss.Angle, [64, 33]), "MatryoshkaDimensions is [64, 33] with the loss Angle; it must be even numbers");
        Refused(options => options.Optimizer = (TrainingOptimizer)9, "Optimizer is 9");
        Refused(options => options.Schedule = (LearningRateSchedule)9, "Schedule is 9");
        Refused(options => options.LoraTargets = ["dense", "query_key_value", "dense"], "LoraTargets is [dense, query_key_value, dense]");
        Refused(options => options.Strength = 1e300, "Strength is 1E+300");

        static void Refused(Action<LacosBloomTrainer.Options> spoil, string words)
        {
            var ml = new MLContext(1);
            LacosBloomTrainer.Options options = Sentences.Quick(1);
            spoil(options);
            ArgumentException? error = null;
            try
            {
                ml.Regression.Trainers.LacosBloom(options);
            }
            catch (ArgumentException refusal)
            {
                error = refusal;
            }
            Assert.IsNotNull(error, words);
            Assert.Contains(words, error.Message);
        }
    }

    [TestMethod]
    public void NumbersInRefusalsAreWrittenAlikeInEveryCulture()
    {
        // A culture of its own making: those of languages are not on every machine.
        CultureInfo before = CultureInfo.CurrentCulture;
        var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        german.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = german;
        try
        {
            LacosBloomTrainer.Options options = Sentences.Quick(1);
            options.LearningRate = -0.5;
            Assert.Contains("LearningRate is -0.5;", Assert.ThrowsExactly<ArgumentException>(() => new MLContext(1).Regression.Trainers.LacosBloom(options)).Message);
            Assert.Contains("got -0.5.", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new CoSentLoss(-0.5)).Message);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [TestMethod]
    public void WeightsThatTheLastStepMadeInfiniteAreAnErrorOfTraining()
    {
        var ml = new MLContext(1);
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.LearningRate = 1e300;
        InvalidOperationException error = Assert.ThrowsExactly<InvalidOperationException>(() => ml.Regression.Trainers.LacosBloom(options).Fit(Sentences.Data(ml, 8)));
        Assert.Contains("LearningRate", error.Message);
    }

    internal sealed class Listener(Action<TrainingProgress> told) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => told(value);
    }
}
