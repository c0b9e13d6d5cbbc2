using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Several data sets in one run.</summary>
[TestClass]
public sealed class DatasetsTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void DataSetsTakeTurnsByWeightEachWithItsOwnLoss()
    {
        var seen = new List<TrainingProgress>();
        LacosBloomTrainer.Options options = Sentences.Quick(8);
        options.Progress = new LacosBloomTrainerTests.Listener(seen.Add);
        (options.Weight, options.DataName) = (1, "first");
        options.Datasets =
        [
            new TrainingDataset(Sentences.Data(_ml, 12)) { Name = "scored", Loss = TrainingLoss.CoSent, Weight = 2, BatchSize = 6 },
            new TrainingDataset(Taught()) { Name = "taught", Loss = TrainingLoss.MeanSquaredError, LabelColumnName = "Vector", Sentence2ColumnName = "", Weight = 1 },
        ];
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));
        Assert.AreEqual(2, seen.Count(progress => progress.Dataset == "first"));
        Assert.AreEqual(4, seen.Count(progress => progress.Dataset == "scored"));
        TrainingProgress[] taught = [.. seen.Where(progress => progress.Dataset == "taught")];
        Assert.HasCount(2, taught);
        Assert.IsTrue(taught.All(progress => progress.Loss is >= 0 and < 0.01), "the base agrees with vectors of its own, up to dropout and the first steps");
    }

    [TestMethod]
    public void DataSetsOfOneNameAreToldApart()
    {
        var seen = new HashSet<string>();
        LacosBloomTrainer.Options options = Sentences.Quick(6);
        options.Progress = new LacosBloomTrainerTests.Listener(progress => seen.Add(progress.Dataset));
        options.DataName = "train.tsv";
        options.Datasets = [new TrainingDataset(Sentences.Data(_ml, 12)) { Name = "train.tsv" }, new TrainingDataset(Sentences.Data(_ml, 12)) { Name = "train.tsv" }];
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 12));
        CollectionAssert.AreEquivalent(new[] { "train.tsv", "train.tsv (2)", "train.tsv (3)" }, seen.ToArray());
    }

    [TestMethod]
    public void AStoppedAndResumedMixtureGivesTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        byte[] Train(string name, int stopAt, bool resume)
        {
            LacosBloomTrainer.Options options = Sentences.Quick(9);
            (options.OutputFolder, options.StopAtStep, options.Resume, options.Weight, options.BucketByLength) = (folder.File(name), stopAt, resume, 2, true);
            (options.BalanceColumnName, options.BalancePower) = ("Negative", 0.5);
            options.Datasets = [new TrainingDataset(Classes()) { Loss = TrainingLoss.Softmax, Weight = 1, LabelColumnName = "Class", BalancePower = 0, BalanceColumnName = "Negative" }];
            PeftAdapter adapter = _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));
            adapter.Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
        byte[] whole = Train("whole", 0, false);
        Train("parts", 4, false);
        CollectionAssert.AreEqual(whole, Train("parts", 0, true));
    }

    [TestMethod]
    public void LearningFromATeachersVectorsBringsTheVectorsCloserToThem()
    {
        // The teacher's vectors are those of other sentences: they can only be reached by learning.
        IDataView data = Taught(shift: 3);
        var losses = new List<double>();
        LacosBloomTrainer.Options options = Sentences.Quick(30);
        (options.LearningRate, options.LoraDropout, options.LoraRank) = (5e-3, 0, 8);
        (options.Loss, options.LabelColumnName, options.LossWeight) = (TrainingLoss.MeanSquaredError, "Vector", 400);
        options.Progress = new LacosBloomTrainerTests.Listener(progress => losses.Add(progress.Loss));
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(data);
        Assert.IsLessThan(0.7 * losses.Take(4).Average(), losses.TakeLast(4).Average());
    }

    [TestMethod]
    public void PairsThatStandInTheValidationSetAreNamedAndLeftOutOnRequest()
    {
        var warnings = new List<string>();
        _ml.Log += (_, message) => warnings.Add(message.Message);
        List<Sentences.Pair> pairs = Sentences.Pairs(16);
        IDataView validation = _ml.Data.LoadFromEnumerable(pairs.Take(4).Select(pair => new Sentences.Pair { Sentence1 = pair.Sentence2.ToUpperInvariant(), Sentence2 = $"  {pair.Sentence1}", Label = pair.Label }));
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.ValidationSet = validation;
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(_ml.Data.LoadFromEnumerable(pairs));
        Assert.IsTrue(warnings.Any(warning => warning.Contains("4 training row(s)", StringComparison.Ordinal) && warning.Contains("row 3 of the training data", StringComparison.Ordinal)), string.Join('\n', warnings));
        options.LeaveOutValidationPairs = true;
        Assert.Contains("has 0 row(s) to learn from without the 4 that stand in the validation set", Assert.ThrowsExactly<InvalidDataException>(() => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(_ml.Data.LoadFromEnumerable(pairs.Take(4)))).Message);
    }

    [TestMethod]
    public void OfSeveralValidationSetsTheMeanDecides()
    {
        List<Sentences.Pair> pairs = Sentences.Pairs(20);
        double Spearman(IEnumerable<Sentences.Pair> scored, string? group)
        {
            double found = double.NaN;
            LacosBloomTrainer.Options options = Sentences.Quick(1);
            (options.ValidationSet, options.ValidationGroupColumnName) = (_ml.Data.LoadFromEnumerable(scored), group);
            options.Progress = new LacosBloomTrainerTests.Listener(progress => found = progress.Spearman ?? found);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 16));
            return found;
        }
        foreach (Sentences.Pair pair in pairs)
        {
            pair.Negative = pairs.IndexOf(pair) < 12 ? "one" : "two";
        }
        double both = Spearman(pairs, "Negative");
        Assert.AreEqual((Spearman(pairs.Take(12), null) + Spearman(pairs.Skip(12), null)) / 2, both, 1e-12);
        Assert.AreNotEqual(Spearman(pairs, null), both, 1e-6);
    }

    [TestMethod]
    public void ADataSetThatCannotBeUsedIsNamed()
    {
        Refused<ArgumentException>(new TrainingDataset(Sentences.Data(_ml, 4)) { Name = "odd", Loss = TrainingLoss.CoSent, Scale = -1, Weight = 1 }, "Scale of odd", "-1");
        Refused<ArgumentException>(new TrainingDataset(Sentences.Data(_ml, 4)), "Weight", "all of them or for none");
        Refused<ArgumentException>(new TrainingDataset(Sentences.Data(_ml, 4)) { Weight = 1, Sentence2ColumnName = "" }, "Sentence2ColumnName of data set 2");
        Refused<ArgumentException>(new TrainingDataset(Sentences.Data(_ml, 4)) { Weight = 1, Loss = TrainingLoss.MeanSquaredError }, "Label", "vector of 384");
        Refused<ArgumentOutOfRangeException>(new TrainingDataset(Sentences.Data(_ml, 4)) { Weight = 1, BalanceColumnName = "Language" }, "'Language'");
        Refused<InvalidDataException>(new TrainingDataset(_ml.Data.TakeRows(Sentences.Data(_ml, 4), 1)) { Weight = 1, Name = "short" }, "short has 1 row(s)");
        Refused<InvalidDataException>(new TrainingDataset(Sentences.Data(_ml, 4)) { Weight = 1, Name = "alone", BatchSize = 1 }, "alone: The batch size is 1");

        void Refused<T>(TrainingDataset dataset, params string[] words)
            where T : Exception
        {
            LacosBloomTrainer.Options options = Sentences.Quick(1);
            (options.Weight, options.Datasets) = (1, [dataset]);
            T error = Assert.ThrowsExactly<T>(() => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 8)));
            Array.ForEach(words, word => StringAssert.Contains(error.Message, word));
        }
    }

    [TestMethod]
    public void ADataSetWithoutTheColumnThatBalancesSaysSo()
    {
        IDataView data = _ml.Transforms.DropColumns("Negative").Fit(Sentences.Data(_ml, 8)).Transform(Sentences.Data(_ml, 8));
        LacosBloomTrainer.Options options = Sentences.Quick(2);
        (options.BalanceColumnName, options.Datasets) = ("Negative", [new TrainingDataset(data)]);
        Assert.Contains("'Negative'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Regression.Trainers.LacosBloom(options).Plan(Sentences.Data(_ml, 8))).Message);
        options.Datasets[0].BalanceColumnName = "";
        Assert.AreEqual(16, _ml.Regression.Trainers.LacosBloom(options).Plan(Sentences.Data(_ml, 8)).Rows);
    }

    [TestMethod]
    [DataRow(null)]
    [DataRow("")]
    public void NoNameAndAnEmptyOneBalanceNothingInEitherPlace(string? name)
    {
        IDataView data = _ml.Transforms.DropColumns("Negative").Fit(Sentences.Data(_ml, 8)).Transform(Sentences.Data(_ml, 8));
        LacosBloomTrainer.Options options = Sentences.Quick(2);
        (options.BalanceColumnName, options.Datasets) = (name, [new TrainingDataset(data) { BalanceColumnName = name }]);
        Assert.AreEqual(16, _ml.Regression.Trainers.LacosBloom(options).Plan(data).Rows);
    }

    private IDataView Taught(int shift = 0)
    {
        List<Sentences.Pair> pairs = Sentences.Pairs(16);
        IDataView data = _ml.Data.LoadFromEnumerable(pairs.Select((pair, row) => new Sentences.Pair { Sentence1 = pair.Sentence1, Sentence2 = pair.Sentence2, Negative = pairs[(row + shift) % 16].Sentence1 }));
        return _ml.Transforms.Text.ApplySentenceEmbedding("Vector", "Negative").Fit(data).Transform(data);
    }

    private IDataView Classes() => _ml.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Sentences.Data(_ml, 12)).Transform(Sentences.Data(_ml, 12));
}
