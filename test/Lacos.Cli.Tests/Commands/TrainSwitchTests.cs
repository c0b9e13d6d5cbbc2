using Lacos.Cli.Commands;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class TrainSwitchTests
{
    private const string Pairs = "anchor\tpositive\nab\tcd\nef\tgh\nij\tkl\nace\tbdf\n";

    [TestMethod]
    public void SwitchesReachTheTrainer()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--rslora", "--max-grad-norm", "0.5", "--keep-checkpoints", "1", "--checkpoint-every", "1", "--activation-memory", "1MiB");
        StringAssert.Contains(File.ReadAllText(Path.Combine(folder.File("out"), "adapter_config.json")), "\"use_rslora\": true");
        string checkpoint = Directory.GetDirectories(Path.Combine(folder.File("out"), "checkpoints")).Single();
        StringAssert.Contains(File.ReadAllText(Path.Combine(checkpoint, "manifest.json")), "clip 0.5");
    }

    [TestMethod]
    public void WhatIsWrittenPoolsAsItWasTrained()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--pooling", "lasttoken", "--export-folder", folder.File("exported"));
        foreach (string path in new[] { Path.Combine(folder.File("out"), "model.lacos"), folder.File("exported") })
        {
            using LacosModel written = LacosModel.Load(path);
            Assert.AreEqual(PoolingModes.LastToken, written.Settings.Pooling, path);
        }
    }

    [TestMethod]
    public void TheBaseTeachesWithThePoolingOfTheRun()
    {
        using var folder = new TemporaryFolder();
        Succeeds(folder, "--pooling", "cls,lasttoken", "--loss", "mse", "--data", folder.Write("texts.tsv", "text\nab\ncd\n") + ",teacher=base");
    }

    [TestMethod]
    [DataRow("--max-grad-norm -1", "--max-grad-norm is -1; it must be at least 0")]
    [DataRow("--keep-checkpoints 0", "--keep-checkpoints is 0; it must be at least 1")]
    [DataRow("--activation-memory much", "--activation-memory is 'much'; it must be a number of bytes from 1, or a size such as 500MB or 2GiB.")]
    [DataRow("--pooling best", "'best' is no pooling.")]
    [DataRow("--rslora --adapter other", "--rslora and --adapter contradict each other")]
    public void ASwitchOutOfItsRangeIsNamed(string arguments, string expected)
    {
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Of(["train", "--data", folder.Write("pairs.tsv", Pairs), "--output", folder.File("out"), .. arguments.Split(' ')]);
        Assert.AreEqual(ExitCode.Usage, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, expected);
    }

    [TestMethod]
    [DataRow("1", 1L)]
    [DataRow("2GiB", 2L << 30)]
    [DataRow("1.5 kib", 1536L)]
    [DataRow("500MB", 500_000_000L)]
    [DataRow("7b", 7L)]
    [DataRow("0", null)]
    [DataRow("-1", null)]
    [DataRow("GiB", null)]
    [DataRow("0.1", null)]
    [DataRow("2GiBs", null)]
    [DataRow("99999999999999999999999999999TiB", null)]
    public void ASizeIsANumberOfBytesWithAUnitOrWithout(string text, long? expected) => Assert.AreEqual(expected, ByteSize.Parse(text));

    private static void Succeeds(TemporaryFolder folder, params string[] options)
    {
        string model = TinyModel.OfLetters().WriteTo(folder.File("model"));
        string[] data = options.Contains("--data") ? [] : ["--data", folder.Write("pairs.tsv", Pairs)];
        ToolRun run = ToolRun.Of(["train", "--model", model, .. data, "--output", folder.File("out"), "--batch-size", "2", "--lora-rank", "2", "--steps", "2", .. options]);
        Assert.AreEqual(ExitCode.Success, run.ExitCode, run.Error);
    }
}
