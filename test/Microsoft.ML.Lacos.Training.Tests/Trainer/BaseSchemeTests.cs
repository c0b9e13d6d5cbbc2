using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Microsoft.ML.Lacos.Training.Tests.Trainer;

[TestClass]
public sealed class BaseSchemeTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(null, QuantizationScheme.Rowwise, QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.Rowwise, QuantizationScheme.Rowwise, QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseDynamic, QuantizationScheme.BlockwiseDynamic, QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.BlockwiseLinear, QuantizationScheme.BlockwiseLinear, QuantizationScheme.BlockwiseLinear)]
    [DataRow(QuantizationScheme.None, QuantizationScheme.None, QuantizationScheme.None)]
    public void AFolderIsTrainedMergedAndSavedInTheSchemeAskedFor(QuantizationScheme? scheme, QuantizationScheme linear, QuantizationScheme embeddings)
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        LacosBloomTrainer.Options options = Options(model);
        options.BaseScheme = scheme;
        IDataView data = Letters.Data(_ml);
        using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(data);
        float[] scores = [.. fitted.Transform(data).GetColumn<float>("Score")];
        Assert.IsTrue(scores.All(float.IsFinite) && scores.Distinct().Count() > 1);
        _ml.Model.Save(fitted, data.Schema, folder.File("model.zip"));
        CollectionAssert.AreEqual(scores, _ml.Model.Load(folder.File("model.zip"), out _).Transform(data).GetColumn<float>("Score").ToArray());
        PeftAdapter adapter = _ml.Regression.Trainers.LacosBloom(options).FitAdapter(data);
        adapter.Save(folder.File("adapter"));
        using LacosModel merged = LacosModel.Open(model, scheme == QuantizationScheme.None ? BloomCompute.Float32 : BloomCompute.Int8, folder.File("adapter"), scheme);
        Assert.AreEqual(merged.Fingerprint, fitted.Fingerprint, "an update is added before the folder's weights are quantised");
        merged.Save(folder.File("merged.lacos"));
        using LacosModel loaded = LacosModel.Load(folder.File("merged.lacos"));
        Assert.AreEqual(linear, loaded.Weights.Blocks[0].QueryKeyValue.Weight.Scheme);
        Assert.AreEqual(embeddings, loaded.Weights.WordEmbeddings.Scheme);
        using LacosModel untrained = LacosModel.Open(model, scheme == QuantizationScheme.None ? BloomCompute.Float32 : BloomCompute.Int8, scheme: scheme);
        Assert.AreNotEqual(untrained.Fingerprint, merged.Fingerprint, "training has an effect");
    }

    [TestMethod]
    public void APackedModelIsTrainedAndMergedAsIfItWereNot()
    {
        if (!NativeInfo.Get().IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeInfo.Get().UnavailableReason}");
        }
        using var folder = new TemporaryFolder();
        using (LacosModel model = LacosModel.Load(TinyModel.OfLetters().WriteTo(folder.File("model"))))
        {
            model.Save(folder.File("rows.lacos"));
            model.Save(folder.File("packed.lacos"), LacosModel.ThisMachine);
        }
        IDataView data = Letters.Data(_ml);
        var scores = new List<float[]>();
        foreach (string file in (string[])["rows.lacos", "packed.lacos"])
        {
            LacosBloomTrainer.Options options = Options(folder.File(file));
            options.LoraTargets = ["query_key_value"];
            using SentenceEmbeddingTransformer fitted = _ml.Regression.Trainers.LacosBloom(options).Fit(data);
            _ml.Model.Save(fitted, data.Schema, folder.File("model.zip"));
            scores.Add([.. _ml.Model.Load(folder.File("model.zip"), out _).Transform(data).GetColumn<float>("Score")]);
        }
        CollectionAssert.AreEqual(scores[0], scores[1]);
    }

    [TestMethod]
    [DataRow(QuantizationScheme.BlockwiseDynamic)]
    [DataRow(QuantizationScheme.None)]
    public void AModelThatIsQuantisedAlreadyCannotBeGivenAnotherScheme(QuantizationScheme scheme)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(1);
        options.BaseScheme = scheme;
        NotSupportedException error = Assert.ThrowsExactly<NotSupportedException>(() => _ml.Regression.Trainers.LacosBloom(options).FitAdapter(Sentences.Data(_ml, 8)));
        Assert.Contains("Rowwise", error.Message);
        Assert.Contains("checkpoint folder", error.Message);
    }

    [TestMethod]
    public void AnArithmeticThatContradictsTheSchemeIsRefused()
    {
        var options = new LacosBloomTrainer.Options { Compute = BloomCompute.Float32, BaseScheme = QuantizationScheme.Rowwise };
        Assert.Contains("BaseScheme", Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.LacosBloom(options)).Message);
    }

    // Without alpha and rank the adapter is added as it is: the recipe of the 8-bit BLOOM.
    private static LacosBloomTrainer.Options Options(string model)
    {
        LacosBloomTrainer.Options options = Sentences.Quick(3);
        (options.Model, options.LoraRank, options.LoraAlpha, options.LoraDropout, options.LearningRate) = (model, 4, 4, 0, 0.05);
        return options;
    }
}
