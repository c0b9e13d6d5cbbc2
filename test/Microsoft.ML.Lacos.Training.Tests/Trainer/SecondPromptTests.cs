using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Training with one prompt before first sentences and another before all others, over the model of twelve letters, whose tokens are the letters.</summary>
[TestClass]
public sealed class SecondPromptTests
{
    private const string First = "klk";
    private const string Second = "l";

    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(TrainingLoss.MultipleNegativesRanking, 4)]
    [DataRow(TrainingLoss.MultipleNegativesRanking, 2)]
    [DataRow(TrainingLoss.CoSent, 4)]
    public void TrainingWithTwoPromptsIsTrainingOnTextsThatBeginWithThem(TrainingLoss loss, int chunk)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        byte[] prompted = Train(First, Second, "", ""), written = Train(null, null, First, Second);
        CollectionAssert.AreEqual(written, prompted);
        CollectionAssert.AreEqual(Train(null, Second, "", ""), Train("", null, "", Second), "the second alone");
        CollectionAssert.AreEqual(Train(First, "", "", ""), Train(null, null, First, ""), "the first alone");
        CollectionAssert.AreNotEqual(Train(Second, First, "", ""), prompted, "the other way round");

        byte[] Train(string? first, string? second, string beforeFirst, string beforeSecond)
        {
            LacosBloomTrainer.Options options = Options(model, first, second);
            (options.Loss, options.MiniBatchSize, options.BucketByLength, options.LoraDropout) = (loss, chunk, true, 0.2);
            options.NegativeColumnNames = loss == TrainingLoss.MultipleNegativesRanking ? ["Negative"] : [];
            options.Datasets = [new TrainingDataset(Data(beforeFirst, beforeSecond, "ijkl")) { Loss = TrainingLoss.CosineSimilarity, LabelColumnName = "Label", NegativeColumnNames = [] }];
            return Adapter(folder, options, Data(beforeFirst, beforeSecond));
        }
    }

    // The untrained model agrees with its own cosines, if it sees the same tokens and pools the same ones.
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void EachColumnPoolsBehindItsOwnPrompt(bool includePrompt)
    {
        using var folder = new TemporaryFolder();
        string model = Asking(folder, includePrompt);
        IDataView scored = _ml.Transforms.Text.ApplySentenceEmbedding(new SentenceEmbeddingEstimator.Options
        {
            Model = model, Compute = BloomCompute.Float32, ScoreColumnName = "Cosine",
            Columns = [new("Vector1", "Sentence1", prompt: First), new("Vector2", "Sentence2", prompt: Second)],
        }).Fit(Data()).Transform(Data());
        Assert.IsLessThan(1e-11, FirstLoss(First, Second));
        Assert.IsGreaterThan(1e-7, FirstLoss(First, null));
        Assert.IsGreaterThan(1e-7, FirstLoss(Second, First));

        double FirstLoss(string? first, string? second)
        {
            LacosBloomTrainer.Options options = Options(model, first, second);
            (options.Loss, options.LabelColumnName, options.Compute, options.LoraDropout) = (TrainingLoss.CosineSimilarity, "Cosine", BloomCompute.Float32, 0);
            double loss = double.NaN;
            options.Progress = new LacosBloomTrainerTests.Listener(progress => loss = progress.Step == 1 ? progress.Loss : loss);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(scored);
            return loss;
        }
    }

    [TestMethod]
    public void TheSamePromptGivenTwiceIsOnePrompt()
    {
        using var folder = new TemporaryFolder();
        string model = Asking(folder, includePrompt: true);
        LacosBloomTrainer.Options once = Options(model, First, null), twice = Options(model, First, First), named = Options(model, null, null);
        named.Sentence2PromptName = "query";
        (once.OutputFolder, twice.OutputFolder, twice.Resume) = (folder.File("run"), folder.File("run"), true);
        byte[] adapter = Adapter(folder, once);
        CollectionAssert.AreEqual(adapter, Adapter(folder, twice), "the same run, continued");
        twice.OutputFolder = null;
        twice.Resume = false;
        CollectionAssert.AreEqual(adapter, Adapter(folder, twice));
        CollectionAssert.AreEqual(adapter, Adapter(folder, named), "the default prompt is the one of that name");
    }

    [TestMethod]
    public void ARunIsContinuedWithItsSecondPromptOnly()
    {
        using var folder = new TemporaryFolder();
        string model = Asking(folder, includePrompt: true);
        Train("plain", null, null, resume: false);
        Assert.DoesNotContain("prompt", File.ReadAllText(folder.File("plain", "checkpoints", "step-00000004", "manifest.json")), "as versions without second prompts wrote it");
        Assert.Contains("its second_prompt is not given, this run's is 'l'", Assert.ThrowsExactly<InvalidDataException>(() => Train("plain", Second, null, resume: true)).Message);
        Train("two", Second, null, resume: false);
        Train("two", null, "passage", resume: true);
        Assert.Contains("its second_prompt is 'l', this run's is 'k'", Assert.ThrowsExactly<InvalidDataException>(() => Train("two", "k", null, resume: true)).Message);
        Assert.Contains("its second_prompt is 'l', this run's is not given", Assert.ThrowsExactly<InvalidDataException>(() => Train("two", null, null, resume: true)).Message);

        void Train(string name, string? second, string? secondName, bool resume)
        {
            LacosBloomTrainer.Options options = Options(model, null, second);
            (options.Sentence2PromptName, options.OutputFolder, options.Resume) = (secondName, folder.File(name), resume);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Data());
        }
    }

    [TestMethod]
    public void TheAdapterIsJudgedAsTheFittedTransformerEmbeds()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        IDataView validation = Chain(9);
        double two = Judged(First, Second), one = Judged(First, null);
        Assert.AreNotEqual(one, two);

        double Judged(string first, string? second)
        {
            LacosBloomTrainer.Options options = Options(model, first, second);
            double logged = double.NaN;
            options.Progress = new LacosBloomTrainerTests.Listener(progress => logged = progress.Spearman ?? logged);
            using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(Data(), validation);
            Assert.AreEqual(_ml.Regression.EvaluateSentenceSimilarity(fitted.Transform(validation)).CosineSpearman, logged);
            return logged;
        }
    }

    [TestMethod]
    public void TheFittedTransformerPutsEachPromptBeforeItsColumnAlsoAfterSaving()
    {
        using var folder = new TemporaryFolder();
        IDataView data = Data();
        LacosBloomTrainer.Options options = Options(Asking(folder, includePrompt: true), null, null);
        options.Sentence2PromptName = "passage";
        using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(data);
        using SentenceEncoder bare = SentenceEncoder.Create(fitted.Model, new SentenceEncoderOptions { Prompt = "" });
        _ml.Model.Save(fitted, data.Schema, folder.File("model.zip"));
        foreach (IDataView embedded in new[] { fitted.Transform(data), new MLContext().Model.Load(folder.File("model.zip"), out _).Transform(data) })
        {
            CollectionAssert.AreEqual(bare.Encode(First + data.GetColumn<string>("Sentence1").ElementAt(5)), embedded.GetColumn<float[]>("Embedding1").ElementAt(5));
            CollectionAssert.AreEqual(bare.Encode(Second + data.GetColumn<string>("Sentence2").ElementAt(5)), embedded.GetColumn<float[]>("Embedding2").ElementAt(5));
        }
    }

    [TestMethod]
    public void APlanCountsATextOnceForEachPromptItIsReadWith()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        TrainingPlan one = Plan(First, null), two = Plan(First, Second);
        Assert.AreEqual((10, 10), (one.DistinctTexts, one.LongTexts));
        Assert.AreEqual((18, 9), (two.DistinctTexts, two.LongTexts), "9 first sentences beyond the limit, and 9 second ones that are not");
        Assert.AreEqual(5, one.MeanTokens);
        Assert.AreEqual(4.5, two.MeanTokens, "5 tokens and 4");

        TrainingPlan Plan(string first, string? second)
        {
            LacosBloomTrainer.Options options = Options(model, first, second);
            options.MaximumTokenCount = 5;
            return _ml.Regression.Trainers.LacosBloom(options).Plan(Chain(9));
        }
    }

    [TestMethod]
    public void WhatCannotBeIsRefusedBeforeTheTraining()
    {
        using var folder = new TemporaryFolder();
        string model = Asking(folder, includePrompt: true);
        Assert.StartsWith("Sentence2PromptName is 'query' and Sentence2Prompt is 'l'; one of them must be null.", Refusal(options => (options.Sentence2Prompt, options.Sentence2PromptName) = (Second, "query")));
        Assert.StartsWith("Sentence2Prompt is 'l' with TextColumnName 'Sentence1'; it must be null: a single column of texts has no second sentences.", Refusal(options => (options.Sentence2Prompt, options.TextColumnName) = (Second, "Sentence1")));
        Assert.StartsWith("Sentence2PromptName is 'query' with TextColumnName 'Sentence1'", Refusal(options => (options.Sentence2PromptName, options.TextColumnName) = ("query", "Sentence1")));
        Assert.StartsWith("Sentence2PromptName is 'other'; the model's prompts are: passage, query.", Refusal(options => options.Sentence2PromptName = "other"));
        Assert.StartsWith("The prompt of Sentence2Prompt has 4 tokens and the limit of a text is 4", Refusal(options => (options.Sentence2Prompt, options.MaximumTokenCount) = ("llll", 4)));
        Assert.IsFalse(Directory.Exists(folder.File("run")));

        string Refusal(Action<LacosBloomTrainer.Options> set)
        {
            LacosBloomTrainer.Options options = Options(model, null, null);
            options.OutputFolder = folder.File("run");
            set(options);
            return Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.LacosBloom(options).Fit(Data())).Message;
        }
    }

    private byte[] Adapter(TemporaryFolder folder, LacosBloomTrainer.Options options, IDataView? data = null)
    {
        _ml.Regression.Trainers.LacosBloom(options).FitAdapter(data ?? Data()).Save(folder.File("adapter"));
        return File.ReadAllBytes(folder.File("adapter", PeftAdapter.WeightsFileName));
    }

    private static LacosBloomTrainer.Options Options(string model, string? first, string? second)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(4);
        (options.Model, options.Prompt, options.Sentence2Prompt, options.LearningRate) = (model, first, second, 0.02);
        return options;
    }

    private static string Asking(TemporaryFolder folder, bool includePrompt)
    {
        TinyModel model = TinyModel.OfLetters();
        model.Files["modules.json"] = TinyModel.SentenceTransformers().Files["modules.json"];
        model.Files["1_Pooling/config.json"] = $$"""{"pooling_mode_mean_tokens":true,"include_prompt":{{(includePrompt ? "true" : "false")}}}""";
        model.Files["config_sentence_transformers.json"] = $$"""{"prompts":{"query":"{{First}}","passage":"{{Second}}"},"default_prompt_name":"query"}""";
        return model.WriteTo(folder.File("asking"));
    }

    /// <summary>Rows in which no text stands twice, nor does any with its prompt.</summary>
    private IDataView Data(string beforeFirst = "", string beforeSecond = "", string others = "efgh") => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Sentences.Pair
    {
        Sentence1 = $"{beforeFirst}{"abcdefgh"[i]}{"cdefghij"[i]}{others[i % 3]}",
        Sentence2 = $"{beforeSecond}{"hgfedcba"[i]}{others[i % 4]}{"abcdefgh"[i]}{"aab"[i % 3]}",
        Negative = $"{beforeSecond}{"badcfehg"[i]}{"ga"[i % 2]}",
        Label = (i - 4) / 4f,
    }));

    /// <summary>Rows whose second text is the next row's first.</summary>
    private IDataView Chain(int rows) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i => new Sentences.Pair
    {
        Sentence1 = $"{"abcdefghij"[i]}{"cab"[i % 3]}{"ef"[i % 2]}",
        Sentence2 = $"{"abcdefghij"[i + 1]}{"cab"[(i + 1) % 3]}{"ef"[(i + 1) % 2]}",
        Label = i * 7 % 5,
    }));
}
