using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class StartingAdapterTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void TrainingContinuesFromTheAdapterWithItsOwnShape()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options first = Sentences.Quick(3);
        (first.LoraRank, first.LoraAlpha, first.RankStabilized, first.LoraTargets, first.OutputFolder) = (3, 5, true, ["query_key_value", "dense_4h_to_h"], folder.File("run"));
        PeftAdapter start = Fit(first);
        start.Save(folder.File("adapter"));

        // A step that is too small to change anything shows where the run begins.
        LacosBloomTrainer.Options still = Sentences.Quick(1);
        (still.Adapter, still.LearningRate, still.LoraRank) = (folder.File("adapter"), 1e-30, 7);
        PeftAdapter same = Fit(still);
        Assert.AreEqual(start.Config.ScalingOf("h.0.self_attention.query_key_value"), same.Config.ScalingOf("h.0.self_attention.query_key_value"));
        CollectionAssert.AreEquivalent(start.Modules.Keys.ToArray(), same.Modules.Keys.ToArray());
        foreach ((string name, LoraMatrices matrices) in start.Modules)
        {
            Assert.AreEqual(3, same.Modules[name].Rank);
            CollectionAssert.AreEqual(matrices.A, same.Modules[name].A, name);
            CollectionAssert.AreEqual(matrices.B, same.Modules[name].B, name);
        }
    }

    [TestMethod]
    public void AnAdapterOfAnotherBaseIsRefused()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options tiny = Sentences.Quick(1);
        tiny.Model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        _ml.Regression.Trainers.LacosBloom(tiny).FitAdapter(Letters.Data(_ml)).Save(folder.File("adapter"));
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.Adapter = folder.File("adapter");
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => Fit(options));
        Assert.Contains("base model", error.Message);
        options.Adapter = folder.File("nowhere");
        Assert.Contains("adapter_config.json", Assert.ThrowsExactly<FileNotFoundException>(() => Fit(options)).Message);
    }

    [TestMethod]
    public void ACheckpointIsNotContinuedFromAnotherBeginning()
    {
        using var folder = new TemporaryFolder();
        LacosBloomTrainer.Options options = Sentences.Quick(4);
        (options.OutputFolder, options.StopAtStep) = (folder.File("run"), 2);
        Fit(options).Save(folder.File("adapter"));
        (options.Resume, options.StopAtStep, options.Adapter) = (true, 0, folder.File("adapter"));
        Assert.Contains("adapters", Assert.ThrowsExactly<InvalidDataException>(() => Fit(options)).Message);
    }

    private PeftAdapter Fit(LacosBloomTrainer.Options options) => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 8));
}
