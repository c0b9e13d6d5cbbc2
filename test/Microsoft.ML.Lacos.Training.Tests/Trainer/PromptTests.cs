using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

/// <summary>Training with a text before every sentence, over the model of twelve letters, whose tokens are the letters.</summary>
[TestClass]
public sealed class PromptTests
{
    private const string Prompt = "klk";

    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void TrainingWithAPromptIsTrainingOnTextsThatBeginWithIt(bool classes)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        byte[] prompted = Train("prompted", Prompt, before: ""), written = Train("written", null, before: Prompt), plain = Train("plain", null, before: "");
        CollectionAssert.AreEqual(written, prompted);
        CollectionAssert.AreNotEqual(plain, prompted);

        byte[] Train(string name, string? prompt, string before)
        {
            LacosBloomTrainer.Options options = Options(model, prompt);
            options.TextColumnName = classes ? "Sentence1" : null;
            options.LabelColumnName = classes ? "Negative" : null;
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Data(before)).Save(folder.File(name));
            return File.ReadAllBytes(folder.File(name, PeftAdapter.WeightsFileName));
        }
    }

    [TestMethod]
    public void TheAdapterIsJudgedWithThePrompt()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        double? prompted = Judged(Prompt, before: ""), written = Judged(null, before: Prompt);
        Assert.AreEqual(written, prompted);
        Assert.AreNotEqual(Judged(null, before: ""), prompted);

        double? Judged(string? prompt, string before)
        {
            LacosBloomTrainer.Options options = Options(model, prompt);
            double? spearman = null;
            options.Progress = new LacosBloomTrainerTests.Listener(progress => spearman = progress.Spearman ?? spearman);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Data(before), Data(before));
            return spearman;
        }
    }

    [TestMethod]
    public void TheFittedTransformerPutsThePromptBeforeEachTextAlsoAfterSaving()
    {
        using var folder = new TemporaryFolder();
        IDataView data = Data("");
        using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(Options(TinyModel.OfLetters().WriteTo(folder.File("model")), Prompt)).Fit(data);
        string[] texts = [.. data.GetColumn<string>("Sentence2")];
        using SentenceEncoder encoder = SentenceEncoder.Create(fitted.Model);
        float[][] vectors = [.. fitted.Transform(data).GetColumn<float[]>("Embedding2")];
        CollectionAssert.AreEqual(encoder.Encode(Prompt + texts[5]), vectors[5]);
        CollectionAssert.AreNotEqual(encoder.Encode(texts[5]), vectors[5]);
        _ml.Model.Save(fitted, data.Schema, folder.File("model.zip"));
        IDataView loaded = new MLContext().Model.Load(folder.File("model.zip"), out _).Transform(data);
        CollectionAssert.AreEqual(vectors[5], loaded.GetColumn<float[]>("Embedding2").ElementAt(5));
    }

    [TestMethod]
    public void TheModelsDefaultPromptHoldsUnlessAnotherOrNoneIsGiven()
    {
        using var folder = new TemporaryFolder();
        string plain = TinyModel.OfLetters().WriteTo(folder.File("model")), asking = WithDefault(folder, Prompt);
        byte[] own = Train(asking, null);
        CollectionAssert.AreEqual(Train(plain, Prompt), own);
        CollectionAssert.AreEqual(Train(plain, null), Train(asking, ""));
        CollectionAssert.AreEqual(Train(plain, "la"), Train(asking, "la"));
        CollectionAssert.AreNotEqual(own, Train(WithDefault(folder, Prompt, includePrompt: false), null), "a prompt that is not pooled");

        byte[] Train(string model, string? prompt)
        {
            _ml.Regression.Trainers.LacosBloom(Options(model, prompt)).FitAdapter(Data("")).Save(folder.File("adapter"));
            return File.ReadAllBytes(folder.File("adapter", PeftAdapter.WeightsFileName));
        }
    }

    [TestMethod]
    public void APromptMayBeGivenByTheNameTheModelKnowsItBy()
    {
        using var folder = new TemporaryFolder();
        TinyModel.OfLetters().WriteTo(folder.File("model"));
        LacosBloomTrainer.Options options = Options(WithDefault(folder, Prompt), ""), named = Options(options.Model!, null);
        (options.Prompt, named.PromptName) = (Prompt, "query");
        (options.OutputFolder, named.OutputFolder, named.Resume) = (folder.File("run"), folder.File("run"), true);
        IDataView data = Data("");
        using SentenceEmbeddingTransformer text = _ml.Regression.Trainers.LacosBloom(options).Fit(data), name = _ml.Regression.Trainers.LacosBloom(named).Fit(data);
        Assert.AreEqual(text.Fingerprint, name.Fingerprint, "the same run, continued");
        CollectionAssert.AreEqual(text.Transform(data).GetColumn<float[]>("Embedding1").First(), name.Transform(data).GetColumn<float[]>("Embedding1").First());

        LacosBloomTrainer.Options unknown = Options(options.Model!, null), both = Options(options.Model!, Prompt);
        (unknown.PromptName, both.PromptName) = ("passage", "query");
        Assert.Contains("the model's prompts are: query", Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.LacosBloom(unknown).Plan(data)).Message);
        Assert.Contains("Give the name or the text", Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.LacosBloom(both)).Message);
    }

    [TestMethod]
    public void ARunIsContinuedWithItsPromptOnly()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        Train("plain", null, resume: false);
        Assert.DoesNotContain("\"prompt\"", File.ReadAllText(folder.File("plain", "checkpoints", "step-00000004", "manifest.json")), "as versions without prompts wrote it");
        Train("plain", "", resume: true);
        Assert.Contains("its prompt is not given, this run's is 'klk'", Assert.ThrowsExactly<InvalidDataException>(() => Train("plain", Prompt, resume: true)).Message);
        Train("prompted", Prompt, resume: false);
        Train("prompted", Prompt, resume: true);
        Assert.Contains("its prompt is 'klk', this run's is not given", Assert.ThrowsExactly<InvalidDataException>(() => Train("prompted", null, resume: true)).Message);

        void Train(string name, string? prompt, bool resume)
        {
            LacosBloomTrainer.Options options = Options(model, prompt);
            (options.OutputFolder, options.Resume) = (folder.File(name), resume);
            _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Data(""));
        }
    }

    [TestMethod]
    public void APromptThatFillsTheLimitIsRefusedBeforeTheTraining()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Options(TinyModel.OfLetters().WriteTo(folder.File("model")), Prompt);
        (options.OutputFolder, options.MaximumTokenCount) = (folder.File("run"), 3);
        LacosBloomTrainer trainer = _ml.Regression.Trainers.LacosBloom(options);
        Assert.Contains("The prompt has 3 tokens and the limit of a text is 3", Assert.ThrowsExactly<ArgumentException>(() => trainer.Plan(Data(""))).Message);
        Assert.ThrowsExactly<ArgumentException>(() => trainer.Fit(Data("")));
        Assert.IsFalse(Directory.Exists(folder.File("run")));
    }

    private static LacosBloomTrainer.Options Options(string model, string? prompt)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(4);
        (options.Model, options.Prompt, options.LearningRate) = (model, prompt, 0.02);
        return options;
    }

    private static string WithDefault(TemporaryFolder folder, string prompt, bool includePrompt = true)
    {
        TinyModel model = TinyModel.OfLetters();
        model.Files["modules.json"] = TinyModel.SentenceTransformers().Files["modules.json"];
        model.Files["1_Pooling/config.json"] = $$"""{"pooling_mode_mean_tokens":true,"include_prompt":{{(includePrompt ? "true" : "false")}}}""";
        model.Files["config_sentence_transformers.json"] = $$"""{"prompts":{"query":"{{prompt}}"},"default_prompt_name":"query"}""";
        return model.WriteTo(folder.File($"asking-{includePrompt}"));
    }

    private IDataView Data(string before) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Sentences.Pair
    {
        Sentence1 = $"{before}{"abcdefgh"[i]}{"cdefghij"[i]}",
        Sentence2 = $"{before}{"hgfedcba"[i]}{"efghijkl"[i]}{"abcdefgh"[i]}",
        Negative = i % 2 == 0 ? "even" : "odd",
        Label = i,
    }));
}
