using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Output;

[TestClass]
public sealed class OverwriteCheckTests
{
    [TestMethod]
    [DataRow("mine -d F/pairs.tsv -o F/pairs.tsv")]
    [DataRow("mine -d F/pairs.tsv -o LINK/pairs.tsv")]
    [DataRow("mine -d LINK/pairs.tsv -o F/other/../pairs.tsv")]
    [DataRow("embed -i F/texts.jsonl -o LINK/texts.jsonl")]
    [DataRow("embed -i F/side.json --format jsonl -o LINK/side.npy")]
    [DataRow("embed -i F/pairs.tsv -c 0 -m F/model -o F/model/config.npy")]
    [DataRow("tokenize -i F/texts.jsonl -o LINK/texts.jsonl")]
    [DataRow("tokenize -i F/texts.jsonl -m F/model/tokenizer.json -o LINK/model/tokenizer.json")]
    [DataRow("eval -d F/scored.tsv --json LINK/scored.tsv")]
    [DataRow("quantize -m F/model -o F/model/model.safetensors")]
    [DataRow("quantize -m LINK/model -o F/model/1_Pooling/config.json")]
    [DataRow("quantize -m F/linked -o F/model/model.safetensors")]
    [DataRow("quantize -m F/model -o F/scores.json --scores LINK/scores.json")]
    [DataRow("pack -m F/file.lacos -o LINK/file.lacos")]
    [DataRow("train -d F/pairs.tsv -m F/tuned/model.lacos -o LINK/tuned")]
    [DataRow("train -d F/pairs.tsv,loss=mse,teacher=F/tuned/model.lacos -o LINK/tuned")]
    [DataRow("train -d F/pairs.tsv --adapter F/tuned -o LINK/tuned")]
    [DataRow("train -d F/pairs.tsv -o F/new --export-folder LINK/exported -m F/exported")]
    [DataRow("export -m F/exported -o LINK/exported")]
    public void AnOutputThatIsAnInputIsAUsageErrorAndNothingIsTouched(string commandLine)
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Dictionary<string, string> before = Contents(folder);
        string link = folder.Path + "-link";
        SpecialFile.FolderLink(link, folder.Path);
        try
        {
            ToolRun run = ToolRun.Of([.. commandLine.Split(' ').Select(part => part.Replace("F/", folder.Path + "/", StringComparison.Ordinal).Replace("LINK/", link + "/", StringComparison.Ordinal))]);
            Assert.AreEqual(2, run.ExitCode, run.Error);
            StringAssert.Contains(run.Error, "read as input");
            CollectionAssert.AreEquivalent(before, Contents(folder));
        }
        finally
        {
            Directory.Delete(link);
        }
    }

    [TestMethod]
    public void WhatIsOnlyBesideTheInputsIsWritten()
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        string model = folder.File("model");
        foreach (string name in new[] { "model.lacos", "vectors.npy", "new.json", "adapter_config.json" })
        {
            OverwriteCheck.RefuseFile(Path.Combine(model, name), model, folder.File("tuned"), folder.File("pairs.tsv"), "-", null);
        }
        OverwriteCheck.RefuseFile("-", "-", null, "-");
        OverwriteCheck.RefuseFolder(folder.File("mod"), model, folder.File("tuned"));
        Assert.ThrowsExactly<UsageException>(() => OverwriteCheck.RefuseFolder(folder.Path, model, null));
    }

    [TestMethod]
    public void AnotherNameOfTheSameFileIsTheSameFile()
    {
        using var folder = new TemporaryFolder();
        SpecialFile.Make(folder.File("second.tsv"), "ln", folder.Write("first.tsv", "a"), folder.File("second.tsv"));
        Assert.ThrowsExactly<UsageException>(() => OverwriteCheck.RefuseFile(folder.File("second.tsv"), null, null, folder.File("first.tsv")));
    }

    private static void Fill(TemporaryFolder folder)
    {
        folder.Write("pairs.tsv", "anchor\tpositive\na b\tc d\ne f\tg h\n");
        folder.Write("scored.tsv", "sentence1\tsentence2\tscore\na b\tc d\t1\ne f\tg h\t2\n");
        folder.Write("texts.jsonl", "\"a\"\n");
        folder.Write("side.json", "\"a\"\n");
        folder.Write("scores.json", """{"sets":[]}""");
        folder.Write("file.lacos", "weights");
        foreach (string name in new[] { "model", "tuned", "linked", "exported", "other" })
        {
            Directory.CreateDirectory(folder.File(name));
        }
        TinyModel.SentenceTransformers().WriteTo(folder.File("model"));
        foreach (string name in new[] { "config.json", "tokenizer.json", "model.safetensors" })
        {
            SpecialFile.Link(Path.Combine(folder.File("linked"), name), Path.Combine("..", "model", name));
        }
        foreach (string name in new[] { "model.lacos", "adapter_config.json", "adapter_model.safetensors" })
        {
            File.WriteAllText(Path.Combine(folder.File("tuned"), name), "weights");
        }
        File.WriteAllText(Path.Combine(folder.File("exported"), "config_sentence_transformers.json"), """{"__version__":{"lacos":"1"}}""");
        File.WriteAllText(Path.Combine(folder.File("exported"), "model.safetensors"), "weights");
    }

    private static Dictionary<string, string> Contents(TemporaryFolder folder) =>
        Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllText, StringComparer.Ordinal);
}
