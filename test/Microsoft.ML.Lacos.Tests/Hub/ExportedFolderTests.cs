using System.Text.Json;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tests.Sentences;

namespace Microsoft.ML.Lacos.Tests.Hub;

[TestClass]
public sealed class ExportedFolderTests
{
    private static readonly LacosModelLoadOptions Floats = new() { Scheme = QuantizationScheme.None };

    [TestMethod]
    [TestCategory("Golden")]
    public void EverySentenceTransformersFolderComesBackWithItsSettingsItsWeightsToTheBitAndItsVectors()
    {
        foreach (string source in Directory.GetDirectories(TestData.Golden("sentence_transformers")))
        {
            using var folder = new TemporaryFolder();
            ModelFolderGoldenTests.Complete(source, folder.File("in"));
            using LacosModel model = LacosModel.Load(folder.File("in"), Floats);
            model.SaveFolder(folder.File("out"));
            using LacosModel again = LacosModel.Load(folder.File("out"), Floats);
            AssertSameWeights(model.Weights, again.Weights);
            AssertSameSettings(model.Settings, again.Settings);
            CollectionAssert.AreEqual(model.TokenizerJson.ToArray(), again.TokenizerJson.ToArray());
            SentenceTransformersGoldenTests.CompareAll(again, source);
        }
    }

    [TestMethod]
    [TestCategory("Golden")]
    public void AnAdapterIsMergedInFullPrecision()
    {
        using var folder = new TemporaryFolder();
        string vocabulary = string.Join(',', Enumerable.Range(0, 96).Select(id => $"\"t{id}\":{id}"));
        File.WriteAllText(folder.File("tokenizer.json"), $$$"""{"model":{"type":"BPE","vocab":{{{{vocabulary}}}},"merges":[]}}""");
        foreach (string name in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(TestData.Golden("bloom", "pow2-fp32", name), folder.File(name));
        }
        string adapter = TestData.Golden("lora", "qkv", "adapter_after5");
        using (LacosModel model = LacosModel.Load(folder.Path, Floats with { Adapter = adapter }))
        {
            model.SaveFolder(folder.File("merged"));
        }
        using BloomCheckpoint checkpoint = BloomCheckpoint.Load(folder.Path);
        using MergedBloomWeights expected = PeftAdapter.Load(adapter).Merge(checkpoint.Weights);
        using LacosModel merged = LacosModel.Load(folder.File("merged"), Floats);
        AssertSameWeights(expected.Weights, merged.Weights);
    }

    [TestMethod]
    [DataRow(CheckpointPrecision.Float32)]
    [DataRow(CheckpointPrecision.Float16)]
    public void AnExportStraightFromAFoldersFilesIsThatOfTheLoadedModel(CheckpointPrecision precision)
    {
        using var folder = new TemporaryFolder();
        using (LacosModel embedded = LacosModel.LoadDefault())
        {
            embedded.SaveFolder(folder.File("model"));
        }
        var random = new Random(4);
        BloomConfig config = CheckpointTensors.ReadConfig(folder.File("model"));
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() / 10)];
        var matrices = Enumerable.Range(0, config.LayerCount).ToDictionary(BloomTensorNames.QueryKeyValue, _ => new LoraMatrices(2, Numbers(2 * config.HiddenSize), Numbers(6 * config.HiddenSize)));
        var adapter = new PeftAdapter(new LoraConfig { Rank = 2, TargetModules = ["query_key_value"] }, matrices);
        adapter.Save(folder.File("adapter"));
        using (LacosModel loaded = LacosModel.Load(folder.File("model"), Floats with { Adapter = folder.File("adapter") }))
        using (LacosModel shorter = loaded.With(loaded.Settings with { MaximumTokenCount = 99 }))
        {
            shorter.SaveFolder(folder.File("expected"), precision);
        }
        ModelFolder.Export(folder.File("model"), adapter, settings => settings with { MaximumTokenCount = 99 }, folder.File("actual"), precision, new WeightProgress(null, CancellationToken.None));
        string[] Files(string name) => [.. Directory.GetFiles(folder.File(name), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder.File(name), path)).Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(Files("expected"), Files("actual"));
        foreach (string file in Files("expected"))
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(Path.Combine(folder.File("expected"), file)), File.ReadAllBytes(Path.Combine(folder.File("actual"), file)), file);
        }
    }

    [TestMethod]
    public void WhatAKilledExportHasLeftGoesWithTheNextAndWhatAnotherIsWritingStays()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.File("model")));
        string Temporary() => Directory.CreateDirectory(AtomicFile.TemporaryOf(folder.File("out"))).FullName;
        (string killed, string running, string foreign) = (Temporary(), Temporary(), Temporary());
        File.WriteAllText(Path.Combine(killed, ".writing"), "");
        File.WriteAllText(Path.Combine(killed, "model.safetensors"), "half");
        File.WriteAllText(Path.Combine(foreign, "model.safetensors"), "of nobody knows whom");
        using (new FileStream(Path.Combine(running, ".writing"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            model.SaveFolder(folder.File("out"));
        }
        Assert.IsFalse(Directory.Exists(killed));
        Assert.IsTrue(Directory.Exists(running));
        Assert.IsTrue(Directory.Exists(foreign));
        Assert.IsFalse(File.Exists(Path.Combine(folder.File("out"), ".writing")));
    }

    [TestMethod]
    [DataRow(QuantizationScheme.Rowwise)]
    [DataRow(QuantizationScheme.BlockwiseLinear)]
    public void AnAdapterIsAddedBeforeAFolderIsQuantised(QuantizationScheme scheme)
    {
        using var folder = new TemporaryFolder();
        new TinyModel().WriteTo(folder.File("model"));
        var random = new Random(3);
        LoraMatrices Of(int rows, int columns) => new(2, [.. Enumerable.Range(0, 2 * columns).Select(_ => random.NextSingle())], [.. Enumerable.Range(0, 2 * rows).Select(_ => random.NextSingle())]);
        var matrices = new Dictionary<string, LoraMatrices>();
        for (int block = 0; block < TinyModel.Layers; block++)
        {
            matrices[BloomTensorNames.QueryKeyValue(block)] = Of(3 * TinyModel.Hidden, TinyModel.Hidden);
            matrices[BloomTensorNames.Dense4HToH(block)] = Of(TinyModel.Hidden, 4 * TinyModel.Hidden);
        }
        var adapter = new PeftAdapter(new LoraConfig { Rank = 2, TargetModules = ["query_key_value", "dense_4h_to_h"] }, matrices);
        adapter.Save(folder.File("adapter"));
        // Blocks of five elements cross the rows.
        var options = new LacosModelLoadOptions { Scheme = scheme, BlockSize = 5 };
        using LacosModel floats = LacosModel.Load(folder.File("model"), Floats);
        using LacosModel merged = floats.WithAdapter(adapter);
        using LacosModel expected = merged.Quantize(scheme, 5);
        using LacosModel actual = LacosModel.Load(folder.File("model"), options with { Adapter = folder.File("adapter") });
        using LacosModel plain = LacosModel.Load(folder.File("model"), options);
        Assert.AreEqual(expected.Fingerprint, actual.Fingerprint);
        Assert.AreNotEqual(plain.Fingerprint, actual.Fingerprint);

        matrices[BloomTensorNames.QueryKeyValue(1)] = Of(TinyModel.Hidden, TinyModel.Hidden);
        new PeftAdapter(adapter.Config, matrices).Save(folder.File("adapter"));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(folder.File("model"), options with { Adapter = folder.File("adapter") })).Message, "is 8 x 8 and the model's layer is 24 x 8");
        matrices.Remove(BloomTensorNames.QueryKeyValue(1));
        new PeftAdapter(adapter.Config, matrices).Save(folder.File("adapter"));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => LacosModel.Load(folder.File("model"), options with { Adapter = folder.File("adapter") })).Message, "its weights lack it");
    }

    [TestMethod]
    public void AQuantisedModelIsWrittenWithTheValuesItIsComputedWith()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.LoadDefault();
        model.SaveFolder(folder.File("out"));
        using LacosModel again = LacosModel.Load(folder.File("out"), Floats);
        AssertSameWeights(model.Weights, again.Weights);
        AssertSameSettings(model.Settings, again.Settings);
    }

    [TestMethod]
    public void HalfPrecisionRoundsOnceAndRefusesWhatItCannotHold()
    {
        using var folder = new TemporaryFolder();
        var tiny = new TinyModel();
        using (LacosModel model = LacosModel.Load(tiny.WriteTo(folder.File("in")), Floats))
        {
            model.SaveFolder(folder.File("out"), CheckpointPrecision.Float16);
            using LacosModel again = LacosModel.Load(folder.File("out"), Floats);
            Assert.AreEqual((float)(Half)Row(model.Weights.WordEmbeddings, 3)[5], Row(again.Weights.WordEmbeddings, 3)[5]);
        }
        tiny.Tensors["ln_f.bias"].Values[2] = 70_000;
        using LacosModel large = LacosModel.Load(tiny.WriteTo(folder.File("in")), Floats);
        InvalidDataException error = Assert.ThrowsExactly<InvalidDataException>(() => large.SaveFolder(folder.File("large"), CheckpointPrecision.Float16));
        StringAssert.Contains(error.Message, "ln_f.bias");
        CollectionAssert.AreEquivalent(new[] { "in", "out" }, Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).ToArray(), "nothing half-written stays");
    }

    [TestMethod]
    public void PromptsAndUnpooledPromptsAndALimitAreKept()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(TinyModel.SentenceTransformers().WriteTo(folder.File("in")), Floats);
        using LacosModel other = model.With(new SentenceSettings
        {
            Pooling = PoolingModes.WeightedMean | PoolingModes.LastToken,
            Normalize = false,
            IncludePrompt = false,
            MaximumTokenCount = 9,
            Prompts = new Dictionary<string, string> { ["query"] = "Suche: \"ä\"\n", ["passage"] = "" },
            DefaultPromptName = "passage",
        });
        other.SaveFolder(folder.File("out"));
        using LacosModel again = LacosModel.Load(folder.File("out"), Floats);
        AssertSameSettings(other.Settings, again.Settings);
        using JsonDocument tokenizer = JsonDocument.Parse(File.ReadAllText(folder.File("out", "tokenizer_config.json")));
        Assert.AreEqual(9, tokenizer.RootElement.GetProperty("model_max_length").GetInt32());
        Assert.AreEqual("right", tokenizer.RootElement.GetProperty("padding_side").GetString());
        Assert.IsFalse(Directory.Exists(folder.File("out", "2_Normalize")));
    }

    [TestMethod]
    public void OnlyAnEarlierExportIsReplaced()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.File("in")), Floats);
        Directory.CreateDirectory(folder.File("out"));
        model.SaveFolder(folder.File("out"));
        model.SaveFolder(folder.File("out"));
        File.WriteAllText(folder.File("out", "notes.txt"), "mine");
        IOException foreign = Assert.ThrowsExactly<IOException>(() => model.SaveFolder(folder.File("out")));
        StringAssert.Contains(foreign.Message, "notes.txt");
        Assert.AreEqual("mine", File.ReadAllText(folder.File("out", "notes.txt")));
        Assert.ThrowsExactly<IOException>(() => model.SaveFolder(folder.File("in")), "a model folder of somebody else");
        Assert.ThrowsExactly<DirectoryNotFoundException>(() => model.SaveFolder(folder.File("nowhere", "out")));
    }

    [TestMethod]
    public void ALinkToAFolderStaysAndTheFolderIsReplaced()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(Directory.CreateDirectory(folder.File("in")).FullName));
        Directory.CreateDirectory(folder.File("out"));
        SpecialFile.FolderLink(folder.File("link"), "out");
        model.SaveFolder(folder.File("link"));
        model.SaveFolder(folder.File("link"));
        Assert.AreEqual("out", new DirectoryInfo(folder.File("link")).LinkTarget);
        Assert.IsTrue(File.Exists(folder.File("out", "model.safetensors")));
        Assert.HasCount(3, Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void ACancelledExportLeavesTheEarlierOne()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.Load(new TinyModel().WriteTo(folder.File("in")), Floats);
        model.SaveFolder(folder.File("out"));
        byte[] before = File.ReadAllBytes(folder.File("out", "model.safetensors"));
        Assert.ThrowsExactly<OperationCanceledException>(() => model.SaveFolder(folder.File("out"), CheckpointPrecision.Float16, new CancellationToken(canceled: true)));
        CollectionAssert.AreEqual(before, File.ReadAllBytes(folder.File("out", "model.safetensors")));
        Assert.HasCount(2, Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    public void APrecisionThatDoesNotExistIsRefusedAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using LacosModel model = LacosModel.LoadDefault();
        string path = Path.Combine(folder.Path, "out");
        ArgumentOutOfRangeException error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.SaveFolder(path, (CheckpointPrecision)7));
        StringAssert.Contains(error.Message, "The precision is 7; it must be Float32 or Float16.");
        Assert.IsFalse(Directory.Exists(path));
    }

    private static void AssertSameSettings(SentenceSettings expected, SentenceSettings actual)
    {
        CollectionAssert.AreEquivalent(expected.Prompts.ToArray(), actual.Prompts.ToArray());
        Assert.AreEqual(expected with { Prompts = actual.Prompts }, actual);
    }

    private static void AssertSameWeights(BloomWeights expected, BloomWeights actual)
    {
        Assert.AreEqual(expected.Config, actual.Config);
        AssertSameMatrix(expected.WordEmbeddings, actual.WordEmbeddings);
        CollectionAssert.AreEqual(expected.FinalLayerNorm.Weight, actual.FinalLayerNorm.Weight);
        for (int layer = 0; layer < expected.Blocks.Count; layer++)
        {
            BloomBlockWeights one = expected.Blocks[layer];
            BloomBlockWeights other = actual.Blocks[layer];
            CollectionAssert.AreEqual(one.InputLayerNorm.Bias, other.InputLayerNorm.Bias);
            CollectionAssert.AreEqual(one.QueryKeyValue.Bias, other.QueryKeyValue.Bias);
            AssertSameMatrix(one.QueryKeyValue.Weight, other.QueryKeyValue.Weight);
            AssertSameMatrix(one.Dense.Weight, other.Dense.Weight);
            AssertSameMatrix(one.DenseHTo4H.Weight, other.DenseHTo4H.Weight);
            AssertSameMatrix(one.Dense4HToH.Weight, other.Dense4HToH.Weight);
        }
    }

    private static void AssertSameMatrix(WeightMatrix expected, WeightMatrix actual)
    {
        for (int row = 0; row < expected.Rows; row++)
        {
            Assert.IsTrue(Row(expected, row).AsSpan().SequenceEqual(Row(actual, row)), $"row {row}");
        }
    }

    private static float[] Row(WeightMatrix matrix, int row)
    {
        var values = new float[matrix.Columns];
        matrix.DequantizeRow(row, values);
        return values;
    }
}
