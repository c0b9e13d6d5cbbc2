using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Tests.Hub;

namespace Lacos.Cli.Tests.Terminal;

[TestClass]
public sealed class PrintableTextTests
{
    [TestMethod]
    [DataRow("a\tb\nc", "a\tb\nc")]
    [DataRow("a\r\nb", "a\nb")]
    [DataRow("\e[2Ja\u009B31mb\u007F\a\0", " [2Ja 31mb   ")]
    [DataRow("wörld 好", "wörld 好")]
    public void ControlCharactersBecomeSpacesAndLineBreaksStay(string text, string expected) => Assert.AreEqual(expected, PrintableText.Of(text));

    [TestMethod]
    public void WhatNobodyReadsIsCut() => Assert.AreEqual(16_385, PrintableText.Of(new string('x', 1 << 20)).Length);

    [TestMethod]
    public void NamesOutOfAModelAreShownOnOneLineWithoutControlCharacters()
    {
        using var folder = new TemporaryFolder();
        string model = TinyModel.SentenceTransformers().WriteTo(Directory.CreateDirectory(folder.File("model")).FullName);
        string name = "good\nlicense      MIT\e[1A" + new string('x', 10_000);
        ToolRun quantized = ToolRun.Of("quantize", "-m", model, "-o", folder.File("m.lacos"), "--name", name, "--license", "\u009B2Jnone", "--provenance", "scores={\"sets\":\u009B}");
        Assert.AreEqual(0, quantized.ExitCode, quantized.Error);
        foreach (string output in new[] { quantized.Output, ToolRun.Of("info", "-m", folder.File("m.lacos")).Output })
        {
            StringAssert.Contains(output, "good\uFFFDlicense      MIT\uFFFD[1Axxx");
            StringAssert.Contains(output, "license      \uFFFD2Jnone");
            Assert.IsLessThan(5000, output.Length);
            Assert.IsFalse(output.Any(letter => char.IsControl(letter) && letter != '\n'), output);
        }
    }

    [TestMethod]
    public void NamesOutOfAModelInAnErrorAreShownWithoutControlCharacters()
    {
        using var folder = new TemporaryFolder();
        var tiny = new TinyModel();
        tiny.WriteTo(folder.Path);
        byte[] header = """{"\u001b[2Jevil":{"dtype":"X9","shape":[1],"data_offsets":[0,1]}}"""u8.ToArray();
        folder.Write("model.safetensors", [.. BitConverter.GetBytes((long)header.Length), .. header, 0]);
        ToolRun run = ToolRun.Of("info", "-m", folder.Path);
        Assert.AreEqual(1, run.ExitCode, run.Output);
        StringAssert.Contains(run.Error, "[2Jevil");
        Assert.IsFalse(run.Error.Contains('\e', StringComparison.Ordinal));
    }
}
