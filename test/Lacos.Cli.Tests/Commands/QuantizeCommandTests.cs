using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class QuantizeCommandTests
{
    [TestMethod]
    [TestCategory("Golden")]
    [DataRow("rowwise", QuantizationScheme.Rowwise)]
    [DataRow("blockwise-dynamic", QuantizationScheme.BlockwiseDynamic)]
    [DataRow("blockwise-linear", QuantizationScheme.BlockwiseLinear)]
    public void AFolderBecomesOneFileWithItsSettingsAndWhatTheUserSaid(string scheme, QuantizationScheme expected)
    {
        using var folder = new TemporaryFolder();
        string[] blockSize = expected == QuantizationScheme.Rowwise ? [] : ["--block-size", "64"];
        ToolRun run = ToolRun.Of(
        [
            "quantize", "--model", TestData.Golden("sentence_transformers", "mean"), "--output", folder.File("m.lacos"), "--scheme", scheme, .. blockSize,
            "--name", "small", "--license", "MIT", "--provenance", "made by=a test", "--provenance", "sum=1+1=2", "--max-tokens", "7",
        ]);
        Assert.AreEqual(0, run.ExitCode, run.Error);
        CollectionAssert.AreEqual(new[] { "m.lacos" }, folder.FileNames.ToArray());
        using LacosModel model = LacosModel.Load(folder.File("m.lacos"));
        Assert.AreEqual(expected, model.Weights.Blocks[0].Dense.Weight.Scheme);
        Assert.AreEqual("small", model.Provenance[ModelProvenance.Name]);
        Assert.AreEqual("MIT", model.Provenance[ModelProvenance.License]);
        Assert.AreEqual("a test", model.Provenance["made by"]);
        Assert.AreEqual("1+1=2", model.Provenance["sum"]);
        Assert.AreEqual(7, model.Settings.MaximumTokenCount);
        StringAssert.Contains(run.Output, model.Fingerprint);
    }

    [TestMethod]
    public void AFileThatCannotBeWrittenIsRefusedBeforeTheModelIsRead()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("damaged"));
        File.WriteAllText(Path.Combine(folder.File("damaged"), "config.json"), "{");
        ToolRun run = ToolRun.Of("quantize", "--model", folder.File("damaged"), "--output", Path.Combine(folder.File("nowhere"), "m.lacos"));
        Assert.AreEqual(1, run.ExitCode);
        StringAssert.Contains(run.Error, "There is no folder");
    }

    [TestMethod]
    public void OneThatIsCancelledEndsWhileItReadsAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        TinyModel tiny = TinyModel.SentenceTransformers();

        // Whoever reads to the end finds this.
        tiny.Tensors["h.1.mlp.dense_4h_to_h.weight"].Values[3] = float.NaN;
        string model = tiny.WriteTo(Directory.CreateDirectory(folder.File("model")).FullName);
        StringAssert.Contains(ToolRun.Of("quantize", "-m", model, "-o", folder.File("m.lacos")).Error, "NaN");
        Assert.ThrowsExactly<OperationCanceledException>(() => ToolRun.Of(new FakeModels(), new MemoryStream(), new CancellationToken(canceled: true), "quantize", "-m", model, "-o", folder.File("m.lacos")));
        Assert.IsEmpty(folder.FileNames);
    }

    [TestMethod]
    public void OnlyTheWeightsThatAreReadAreCounted()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.SentenceTransformers().WriteTo(Directory.CreateDirectory(folder.File("model")).FullName);
        var other = new byte[700_000];
        File.WriteAllBytes(Path.Combine(model, "optimizer.safetensors"), other);
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(model, "checkpoint-1")).FullName, "model.safetensors"), other);
        SpecialFile.FolderLink(Path.Combine(model, "again"), ".");
        ToolRun run = ToolRun.Of("quantize", "-m", model, "-o", folder.File("m.lacos"));
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.Contains(run.Output, "checkpoint   0.0 MB\n");
    }

    [TestMethod]
    [DataRow(1, "nowhere", "--scheme", "rowwise")]
    [DataRow(2, "--block-size", "--block-size", "64")]
    [DataRow(2, "key=value", "--provenance", "novalue")]
    [DataRow(2, "rowwise", "--scheme", "nf4")]
    public void WhatCannotBeQuantisedLeavesNoFile(int exitCode, string expected, string option, string value)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of("quantize", "-m", folder.File("nowhere"), "-o", folder.File("m.lacos"), option, value);
        Assert.AreEqual(exitCode, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
        Assert.AreEqual("", run.Output);
        CollectionAssert.AreEqual(Array.Empty<string>(), folder.FileNames.ToArray());
    }
}
