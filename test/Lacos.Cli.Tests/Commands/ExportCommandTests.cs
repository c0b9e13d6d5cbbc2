using Microsoft.ML.Lacos;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class ExportCommandTests
{
    [TestMethod]
    public void TheBuiltInModelBecomesAFolderThatGivesTheSameVectors()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("export", "--output", folder.File("out"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, "written");
        using LacosModel built = LacosModel.LoadDefault();
        using LacosModel exported = LacosModel.Load(folder.File("out"), new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        using SentenceEncoder expected = SentenceEncoder.Create(built, new SentenceEncoderOptions { Compute = BloomCompute.Int8WeightOnly });
        using SentenceEncoder actual = SentenceEncoder.Create(exported, new SentenceEncoderOptions { Compute = BloomCompute.Float32 });
        float cosine = System.Numerics.Tensors.TensorPrimitives.CosineSimilarity<float>(expected.Encode("Ein Satz."), actual.Encode("Ein Satz."));
        Assert.IsGreaterThan(0.99999f, cosine);
    }

    [TestMethod]
    [TestCategory("Golden")]
    public void AFolderIsExportedFromItsOwnPrecision()
    {
        using var folder = new TemporaryFolder();
        string source = TestData.Golden("sentence_transformers", "mean");
        Assert.AreEqual(0, ToolRun.Of("export", "--model", source, "--output", folder.File("out"), "--precision", "float16").ExitCode);
        using LacosModel before = LacosModel.Load(source, new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        using LacosModel after = LacosModel.Load(folder.File("out"), new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        var one = new float[before.Weights.Config.HiddenSize];
        var other = new float[one.Length];
        before.Weights.WordEmbeddings.DequantizeRow(50, one);
        after.Weights.WordEmbeddings.DequantizeRow(50, other);
        CollectionAssert.AreEqual(one, other, "the reference's weights are fp16 themselves");
    }

    [TestMethod]
    public void TrainingExportsTheModelItHasMadeAndLeavesTheFilesOfARun()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", "anchor\tpositive\n" + string.Concat(Enumerable.Range(0, 8).Select(i => $"A dog runs {i}.\tSome animal moves {i}.\n")));
        ToolRun run = ToolRun.Of("train", "--data", data, "--output", folder.File("out"), "--batch-size", "4", "--lora-rank", "2", "--steps", "2", "--learning-rate", "0.05", "--export-folder", folder.File("hf"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        string[] files = ["adapter_config.json", "adapter_model.safetensors", "checkpoints", "model.lacos", "train-curves.png", "train-log.jsonl"];
        CollectionAssert.AreEquivalent(files, Directory.GetFileSystemEntries(folder.File("out")).Select(Path.GetFileName).ToArray());
        using LacosModel trained = LacosModel.Load(Path.Combine(folder.File("out"), "model.lacos"));
        using LacosModel built = LacosModel.LoadDefault();
        using LacosModel exported = LacosModel.Load(folder.File("hf"), new LacosModelLoadOptions { Scheme = QuantizationScheme.None });
        CollectionAssert.AreEqual(Row(trained), Row(exported));
        CollectionAssert.AreNotEqual(Row(built), Row(exported));
    }

    [TestMethod]
    public void AnExportThatWouldBeRefusedIsRefusedBeforeTraining()
    {
        using var folder = new TemporaryFolder();
        string data = folder.Write("pairs.tsv", "anchor\tpositive\na b\tc d\ne f\tg h\n");
        ToolRun run = ToolRun.Of("train", "--data", data, "--output", folder.File("out"), "--steps", "2", "--export-folder", folder.Path);
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "pairs.tsv");
        Assert.IsFalse(Directory.Exists(folder.File("out")));
    }

    [TestMethod]
    public void AFolderWithSomethingElseInItIsNotReplaced()
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("export", "--output", Path.GetDirectoryName(folder.Write("notes.txt", "mine"))!);
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "notes.txt");
        CollectionAssert.AreEqual(new[] { "notes.txt" }, folder.FileNames.ToArray());
    }

    private static float[] Row(LacosModel model)
    {
        var row = new float[model.Weights.Config.HiddenSize];
        model.Weights.Blocks[^1].QueryKeyValue.Weight.DequantizeRow(5, row);
        return row;
    }
}
