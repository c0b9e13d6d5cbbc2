using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Training on texts and classes, over a tiny random model in whose vectors the classes lie mixed.</summary>
[TestClass]
public sealed class ClassTrainingTests
{
    private readonly MLContext _ml = new(1);

    // The mean of three seeds: of a model so small, one seed's result goes by the kernels' rounding.
    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking, 0.2)]
    [DataRow(TrainingLoss.CoSent, 0.2)]
    [DataRow(TrainingLoss.CosineSimilarity, 0.1)]
    [DataRow(TrainingLoss.Contrastive, 0.05)]
    public void TrainingDrawsTheClassesApart(TrainingLoss loss, double gain)
    {
        using var folder = new TemporaryFolder();
        IDataView data = Data(24);
        LacosBloomTrainer.Options options = Options(folder, 200);
        (options.Loss, options.LearningRate) = (loss, 0.01);
        using SentenceEmbeddingTransformer untrained = _ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options { Model = options.Model, Columns = [new("Features", "Text")] }).Fit(data);
        double before = Separation(untrained.Transform(data)), after = Enumerable.Range(1, 3).Average(Trained);
        Assert.IsGreaterThan(before + gain, after, $"mean cosine within classes minus between: {before:F3} before, {after:F3} after");

        double Trained(int seed)
        {
            options.Seed = seed;
            using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(data);
            return Separation(fitted.Transform(data));
        }
    }

    [TestMethod]
    public void ItStandsBeforeALinearTrainerAndThePipelineSavesAndLoads()
    {
        using var folder = new TemporaryFolder();
        IDataView data = Data(24);
        TransformerChain<KeyToValueMappingTransformer> model = Chain(Options(folder, 80)).Fit(data);
        IDataView predicted = model.Transform(data);
        string[] labels = [.. predicted.GetColumn<string>("PredictedName")];
        Assert.IsGreaterThan(0.6, _ml.MulticlassClassification.Evaluate(predicted).MicroAccuracy, "a third would be chance");
        string path = folder.File("model.zip");
        _ml.Model.Save(model, data.Schema, path);
        IDataView loaded = new MLContext().Model.Load(path, out _).Transform(data);
        CollectionAssert.AreEqual(labels, loaded.GetColumn<string>("PredictedName").ToArray());
        CollectionAssert.AreEqual(predicted.GetColumn<float[]>("Features").First(), loaded.GetColumn<float[]>("Features").First());
    }

    // As README, remarks and docs have it, with the default model: 8 texts of each of 6 classes teach, 12 are asked.
    [TestMethod]
    [DataRow(0, false)]
    [DataRow(20, false)]
    [DataRow(0, true)]
    public void TheRecommendedClassifierLearnsFromAFewLabels(int steps, bool withWords)
    {
        string[][] rows = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "requests.tsv")).Skip(1).Select(line => line.Split('\t'))];
        var data = rows.GroupBy(row => row[0]).SelectMany(group => group.Select((row, i) => (new NamedText { Label = row[0], Text = row[1] }, i < 8))).ToLookup(row => row.Item2, row => row.Item1);
        IEstimator<ITransformer> featurizer = steps > 0
            ? _ml.Regression.Trainers.LacosBloom(new LacosBloomTrainer.Options { TextColumnName = "Text", Steps = steps, LearningRate = 3e-3, LoraRank = 16 })
            : withWords
            ? _ml.Transforms.Text.FeaturizeText("Words", "Text").Append(_ml.Transforms.Text.ApplySentenceEmbedding("Vector", "Text")).Append(_ml.Transforms.Concatenate("Features", "Vector", "Words"))
            : _ml.Transforms.Text.ApplySentenceEmbedding("Features", "Text");
        IDataView train = _ml.Data.LoadFromEnumerable(data[true]), test = _ml.Data.LoadFromEnumerable(data[false]);
        using var model = _ml.Transforms.Conversion.MapValueToKey("Label").Append(featurizer).Append(_ml.MulticlassClassification.Trainers.SdcaMaximumEntropy()).Fit(train);
        Assert.IsGreaterThan(0.75, _ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy, "a sixth would be chance");
    }

    [TestMethod]
    public void FewClassesFillTheirBatches()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 0);
        (options.BatchSize, options.PairsPerText, options.Epochs) = (16, 1, 1);

        // 240 texts of three classes, a pair each; of a class up to six in a batch.
        TrainingPlan plan = _ml.Regression.Trainers.LacosBloom(options).Plan(Data(240));
        Assert.IsTrue(plan.StepsPerEpoch is >= 15 and <= 18, $"{plan.StepsPerEpoch} steps for {plan.Rows} pairs");
    }

    [TestMethod]
    [DataRow(18, true)]
    [DataRow(12, false)]
    public void PairsThatAPassLeavesOutAreCounted(int red, bool expected)
    {
        using var folder = new TemporaryFolder();
        var told = new List<string>();
        _ml.Log += (_, message) => told.Add(message.Message);

        // 24 texts, each in one pair; of the two classes a batch holds as many of one as of the other.
        IDataView data = _ml.Data.LoadFromEnumerable(Data(24).GetColumn<string>("Text").Select((text, i) => new Row { Text = text, Name = i < red ? "red" : "green" }).ToArray());
        LacosBloomTrainer.Options options = Options(folder, 1);
        (options.BatchSize, options.PairsPerText) = (2, 1);
        _ml.Regression.Trainers.LacosBloom(options).Plan(data);
        _ml.Regression.Trainers.LacosBloom(options).Fit(data).Dispose();
        Assert.AreEqual(expected ? 2 : 0, told.Count(message => message.Contains("leaves out 12 of 24 pairs, which share a class or a text", StringComparison.Ordinal)), string.Join('\n', told));
        Assert.AreEqual(expected ? 2 : 0, told.Count(message => message.Contains("leaves out", StringComparison.Ordinal)));
    }

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking, true)]
    [DataRow(TrainingLoss.CosineSimilarity, false)]
    public void OneClassWithPairsIsNothingToRankAgainst(TrainingLoss loss, bool refused)
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 1);
        options.Loss = loss;
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { "ab", "cd", "ef", "gh" }.Select((text, i) => new Row { Text = text, Name = i < 3 ? "red" : "green" }).ToArray());
        LacosBloomTrainer trainer = _ml.Regression.Trainers.LacosBloom(options);
        if (refused)
        {
            Assert.Contains("Give another class a second text", Assert.ThrowsExactly<InvalidDataException>(() => trainer.Fit(data)).Message);
            return;
        }
        trainer.Fit(data).Dispose();
    }

    [TestMethod]
    [DataRow(4)]
    [DataRow(12)]
    public void ChunksAndResumingGiveTheBitsOfOneRun(int miniBatch)
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 6);
        (options.MiniBatchSize, options.LoraDropout, options.OutputFolder) = (miniBatch, 0.1, folder.File("whole"));
        _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24)).Dispose();
        (options.OutputFolder, options.StopAtStep) = (folder.File("parts"), 3);
        _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24)).Dispose();
        (options.StopAtStep, options.Resume) = (0, true);
        _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24)).Dispose();
        byte[] Adapter(string run) => File.ReadAllBytes(Path.Combine(folder.File(run), "adapter_model.safetensors"));
        CollectionAssert.AreEqual(Adapter("whole"), Adapter("parts"));
    }

    [TestMethod]
    public void TheChainIsCrossValidated()
    {
        using var folder = new TemporaryFolder();
        var folds = _ml.MulticlassClassification.CrossValidate(
            _ml.Transforms.Conversion.MapValueToKey("Label", "Name").Fit(Data(36)).Transform(Data(36)),
            _ml.Regression.Trainers.LacosBloom(Options(folder, 3)).Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy()),
            numberOfFolds: 3);
        Assert.HasCount(3, folds);
        Assert.HasCount(3, folds.Select(fold => Fingerprint(fold.Model)).Distinct(), "each fold is trained on its own rows");
        Assert.IsTrue(folds.All(fold => fold.Metrics.MicroAccuracy is > 0 and <= 1));
    }

    [TestMethod]
    public void TheSameSeedGivesTheSameWeights()
    {
        using var folder = new TemporaryFolder();
        string Fit(int seed)
        {
            LacosBloomTrainer.Options options = Options(folder, 3);
            options.Seed = seed;
            using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24));
            return fitted.Fingerprint;
        }
        Assert.AreEqual(Fit(1), Fit(1));
        Assert.AreNotEqual(Fit(1), Fit(2));
    }

    [TestMethod]
    public void ItAddsOneColumnOfVectorsAndAnnouncesIt()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 1);
        options.EmbeddingColumnName = "Vector";
        IDataView data = Data(12);
        LacosBloomTrainer trainer = _ml.Regression.Trainers.LacosBloom(options);
        using SentenceEmbeddingTransformer fitted = trainer.Fit(data);
        CollectionAssert.AreEqual(new[] { "Text", "Name", "Vector" }, fitted.GetOutputSchema(data.Schema).Select(column => column.Name).ToArray());
        SchemaShape announced = trainer.GetOutputSchema(SchemaShapes.Of(data.Schema));
        CollectionAssert.AreEquivalent(new[] { "Text", "Name", "Vector" }, announced.Select(column => column.Name).ToArray());
    }

    [TestMethod]
    public void AValidationSetOfTextsAndClassesJudgesTheAdapter()
    {
        using var folder = new TemporaryFolder();
        var spearmen = new List<double>();
        LacosBloomTrainer.Options options = Options(folder, 30);
        options.EvaluateEvery = 10;
        options.Progress = new LacosBloomTrainerTests.Listener(progress => spearmen.AddRange(progress.Spearman is double value ? [value] : []));
        _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24), Data(15)).Dispose();
        Assert.HasCount(3, spearmen);
        Assert.IsGreaterThan(0.3, spearmen[^1]);
    }

    [TestMethod]
    public void TextsThatStandInTheValidationSetAreNamedAndLeftOutOnRequest()
    {
        using var folder = new TemporaryFolder();
        var warnings = new List<string>();
        _ml.Log += (_, message) => warnings.Add(message.Message);
        LacosBloomTrainer.Options options = Options(folder, 1);
        _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24), Data(9)).Dispose();
        string told = string.Join('\n', warnings.Where(warning => warning.Contains("validation set", StringComparison.Ordinal)));
        StringAssert.Contains(told, "9 training row(s) stand in the validation set too");
        StringAssert.Contains(told, "row 0 of");
        options.LeaveOutValidationPairs = true;
        Assert.Contains("0 class(es)", Assert.ThrowsExactly<InvalidDataException>(() => _ml.Regression.Trainers.LacosBloom(options).Fit(Data(9), Data(9))).Message);
    }

    [TestMethod]
    public void PairsThatAreMadeOfTheValidationTextsAreNamedInFurtherDataSets()
    {
        using var folder = new TemporaryFolder();
        var warnings = new List<string>();
        _ml.Log += (_, message) => warnings.Add(message.Message);
        LacosBloomTrainer.Options options = Options(folder, 1);
        options.ValidationSet = _ml.Data.LoadFromEnumerable(new[] { "ab", "cd", "ef", "gh" }.Select((text, i) => new Row { Text = text, Name = i < 2 ? "red" : "green" }).ToArray());
        options.Datasets = [new TrainingDataset(Letters.Data(_ml)) { Name = "letters" }, new TrainingDataset(_ml.Data.LoadFromEnumerable(new[] { ("dc", "hg"), ("cd", "ab"), ("lk", "ab") }.Select(pair => new Sentences.Pair { Sentence1 = pair.Item1, Sentence2 = pair.Item2 }).ToArray())) { Name = "pairs" }];
        _ml.Regression.Trainers.LacosBloom(options).Plan(Data(24));
        StringAssert.Contains(warnings.Single(warning => warning.Contains("validation set", StringComparison.Ordinal)), "1 training row(s) stand in the validation set too, which makes it look better than it is: row 1 of pairs, 'cd' | 'ab'.");
    }

    [TestMethod]
    public void FurtherDataSetsOfPairsTakeTurnsWithTheClasses()
    {
        using var folder = new TemporaryFolder();
        var seen = new List<string>();
        LacosBloomTrainer.Options options = Options(folder, 6);
        (options.DataName, options.Weight) = ("classes", 2);
        options.Datasets = [new TrainingDataset(Scored()) { Name = "pairs", Loss = TrainingLoss.CoSent, LabelColumnName = "Label", Weight = 1 }];
        options.Progress = new LacosBloomTrainerTests.Listener(progress => seen.Add(progress.Dataset));
        using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(Data(24));
        Assert.AreEqual(4, seen.Count(name => name == "classes"));
        Assert.AreEqual(2, seen.Count(name => name == "pairs"));
        Assert.IsNotNull(fitted.GetOutputSchema(Data(6).Schema).GetColumnOrNull("Features"));
    }

    [TestMethod]
    public void OneColumnOfTextsAlsoLearnsFromATeachersVectors()
    {
        using var folder = new TemporaryFolder();
        var losses = new List<double>();
        LacosBloomTrainer.Options options = Options(folder, 60);
        IDataView data = Taught(options.Model!);
        (options.Loss, options.LabelColumnName, options.LossWeight) = (TrainingLoss.MeanSquaredError, "Teacher", 100);
        options.Progress = new LacosBloomTrainerTests.Listener(progress => losses.Add(progress.Loss));
        using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(data);
        Assert.IsLessThan(0.8 * losses.Take(4).Average(), losses.TakeLast(4).Average());
        Assert.AreEqual("Features", fitted.GetOutputSchema(data.Schema)[^1].Name);
    }

    [TestMethod]
    [DataRow(nameof(LacosBloomTrainer.Options.NegativeColumnNames))]
    [DataRow(nameof(LacosBloomTrainer.Options.BalanceColumnName))]
    [DataRow(nameof(LacosBloomTrainer.Options.ValidationGroupColumnName))]
    public void AnOptionThatOnlyPairsKnowIsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 1);
        FieldInfo field = typeof(LacosBloomTrainer.Options).GetField(name)!;
        field.SetValue(options, field.FieldType == typeof(string) ? "Language" : new[] { "Hard" });
        string message = Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.LacosBloom(options)).Message;
        Assert.Contains(name, message);
        Assert.Contains("TextColumnName 'Text'", message);
    }

    [TestMethod]
    public void AnEmptyNameOfWhatBalancesIsNone()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(folder, 1);
        options.BalanceColumnName = "";
        Assert.IsNotNull(_ml.Regression.Trainers.LacosBloom(options));
    }

    [TestMethod]
    public void AMissingOrWrongColumnIsNamedBeforeAndWhenFitting()
    {
        using var folder = new TemporaryFolder();
        Refused("'Nothing'", options => options.TextColumnName = "Nothing");
        Refused("'Nobody'", options => options.LabelColumnName = "Nobody");
        Refused("'Vector'", options => options.LabelColumnName = "Vector");

        void Refused(string name, Action<LacosBloomTrainer.Options> spoil)
        {
            LacosBloomTrainer.Options options = Options(folder, 1);
            spoil(options);
            var concatenated = _ml.Transforms.Conversion.MapValueToKey("Key", "Name").Append(_ml.Transforms.Conversion.MapKeyToVector("Vector", "Key"));
            LacosBloomTrainer trainer = _ml.Regression.Trainers.LacosBloom(options);
            Assert.Contains(name, Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainer.Fit(concatenated.Fit(Data(6)).Transform(Data(6)))).Message);
            Assert.Contains(name, Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => concatenated.Append(trainer).GetOutputSchema(SchemaShapes.Of(Data(6).Schema))).Message);
        }
    }

    private EstimatorChain<KeyToValueMappingTransformer> Chain(LacosBloomTrainer.Options options)
    {
        options.LabelColumnName = "Label";
        return _ml.Transforms.Conversion.MapValueToKey("Label", "Name")
            .Append(_ml.Regression.Trainers.LacosBloom(options))
            .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.01f))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedName", "PredictedLabel"));
    }

    private static LacosBloomTrainer.Options Options(TemporaryFolder folder, int steps) => new()
    {
        Model = Model(folder),
        TextColumnName = "Text",
        LabelColumnName = "Name",
        Steps = steps,
        BatchSize = 12,
        LearningRate = 0.02,
        LoraDropout = 0,
        LoraRank = 4,
        LoraTargets = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"],
    };

    private static string Model(TemporaryFolder folder)
    {
        var model = new TinyModel();
        model.Files["tokenizer.json"] = model.Files["tokenizer.json"].Insert(1, """ "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}, """);
        return model.WriteTo(folder.File("model"));
    }

    /// <summary>Texts of letters, one of which tells the class.</summary>
    private IDataView Data(int count)
    {
        var random = new Random(11);
        return _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
        {
            char[] letters = [.. Enumerable.Range(0, 6).Select(_ => "abcdef"[random.Next(6)]), "ghi"[i % 3]];
            random.Shuffle(letters);
            return new Row { Text = new string(letters), Name = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue" };
        }).ToArray());
    }

    private IDataView Scored() => _ml.Data.LoadFromEnumerable(Data(24).GetColumn<string>("Text").Chunk(2).Select((texts, row) => new Sentences.Pair { Sentence1 = texts[0], Sentence2 = texts[1], Label = row % 3 }).ToArray());

    /// <summary>Texts beside the model's vectors of other texts: they can only be reached by learning.</summary>
    private IDataView Taught(string model)
    {
        string[] texts = [.. Data(24).GetColumn<string>("Text")];
        IDataView data = _ml.Data.LoadFromEnumerable(texts.Select((text, row) => new Row { Text = text, Name = texts[(row + 5) % 24] }).ToArray());
        return _ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options { Model = model, Columns = [new("Teacher", "Name")] }).Fit(data).Transform(data);
    }

    private static double Separation(IDataView data)
    {
        float[][] vectors = [.. data.GetColumn<float[]>("Features")];
        string[] names = [.. data.GetColumn<string>("Name")];
        var pairs = from i in Enumerable.Range(0, names.Length) from j in Enumerable.Range(0, i) select (Same: names[i] == names[j], Cosine: vectors[i].Zip(vectors[j], (a, b) => (double)a * b).Sum());
        return pairs.Where(pair => pair.Same).Average(pair => pair.Cosine) - pairs.Where(pair => !pair.Same).Average(pair => pair.Cosine);
    }

    private static string Fingerprint(ITransformer model) => ((IEnumerable<ITransformer>)model).OfType<SentenceEmbeddingTransformer>().Single().Fingerprint;

    private sealed class Row
    {
        public string Text { get; set; } = "";

        public string Name { get; set; } = "";
    }

    private sealed class NamedText
    {
        public string Text { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
