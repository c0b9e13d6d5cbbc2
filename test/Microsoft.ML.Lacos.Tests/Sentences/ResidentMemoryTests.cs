using System.Globalization;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Quantization;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Tests.Sentences;

/// <summary>What a mapped file was read for does not stay in memory.</summary>
[TestClass]
public sealed class ResidentMemoryTests
{
    private const string Text = "Un homme joue de la guitare.";

    [TestMethod]
    public void LinearLayersOfAMappedFileLeaveMemoryOncePackedAndCanBeReadAgain()
    {
        if (!OperatingSystem.IsLinux() || BloomEncoders.ManagedReason is not null)
        {
            Assert.Inconclusive("Not run: pages are counted in /proc/self/smaps, and only the native encoder packs.");
        }
        using var folder = new TemporaryFolder();
        string path = folder.File("model.lacos");
        using LacosModel embedded = LacosModel.LoadDefault();
        embedded.Save(path);
        using LacosModel mapped = LacosModel.Load(path);
        long linear = 12L * mapped.Weights.Config.LayerCount * mapped.Weights.Config.HiddenSize * mapped.Weights.Config.HiddenSize;
        using SentenceEncoder first = SentenceEncoder.Create(mapped);

        // What stays: the header, the tokenizer and their neighbours. Before a text is encoded: where the system holds a file in pieces of 2 MB, each token's embedding brings one back.
        Assert.IsLessThan(linear / 2, ResidentBytes(path));
        float[] vector = first.Encode(Text);
        using SentenceEncoder second = SentenceEncoder.Create(mapped);
        CollectionAssert.AreEqual(vector, second.Encode(Text));
        CollectionAssert.AreEqual(File.ReadAllBytes(path), Saved(mapped, folder.File("again.lacos")));
    }

    [TestMethod]
    public void AFileWhoseFingerprintIsTakenDoesNotStayInMemory()
    {
        RequirePages();
        using var folder = new TemporaryFolder();
        string path = folder.File("model.lacos");
        using LacosModel embedded = LacosModel.LoadDefault();
        embedded.Save(path);
        using LacosModel mapped = LacosModel.Load(path);
        Assert.AreEqual(embedded.Fingerprint, mapped.Fingerprint);
        Assert.IsLessThan(new FileInfo(path).Length / 4, ResidentBytes(path));
        CollectionAssert.AreEqual(File.ReadAllBytes(path), Saved(mapped, folder.File("again.lacos")));
        Assert.IsLessThan(new FileInfo(path).Length / 4, ResidentBytes(path));
    }

    [TestMethod]
    public void OfACheckpointThatIsReadOnlyTheStretchesBeingReadAreInMemory()
    {
        RequirePages();
        using var folder = new TemporaryFolder();
        string path = SavedCheckpoint(folder.File("model"));
        using var tensors = new CheckpointTensors(folder.File("model"));
        BloomConfig config = CheckpointTensors.ReadConfig(folder.File("model"));
        (SafetensorsFile file, SafetensorsEntry entry) = tensors.Find("word_embeddings.weight", config.VocabularySize, config.HiddenSize);
        WeightMatrixBuilder.Build(file.Floats(entry), config.VocabularySize, config.HiddenSize, new RowwiseQuantizer(), "table", out NativeBuffer memory);
        memory.Dispose();
        Assert.IsLessThan(entry.ByteLength / 4, ResidentBytes(path));
    }

    [TestMethod]
    public void WhatAnExportHasWrittenOfACheckpointDoesNotStayInMemory()
    {
        RequirePages();
        using var folder = new TemporaryFolder();
        string path = SavedCheckpoint(folder.File("model"));
        using var tensors = new CheckpointTensors(folder.File("model"));
        var rows = new CheckpointRows(CheckpointTensors.ReadConfig(folder.File("model")), tensors, updateOf: null);
        using var written = new MemoryStream();
        CheckpointWriter.Prepare(rows, CheckpointPrecision.Float32, new WeightProgress(null, CancellationToken.None)).WriteTo(written);
        Assert.IsLessThan(written.Length / 4, ResidentBytes(path));
        CollectionAssert.AreEqual(File.ReadAllBytes(path), written.ToArray());
    }

    private static string SavedCheckpoint(string folder)
    {
        using LacosModel embedded = LacosModel.LoadDefault();
        embedded.SaveFolder(folder);
        return Path.Combine(folder, "model.safetensors");
    }

    private static void RequirePages()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Not run: pages are counted in /proc/self/smaps.");
        }
    }

    private static byte[] Saved(LacosModel model, string path)
    {
        model.Save(path);
        return File.ReadAllBytes(path);
    }

    private static long ResidentBytes(string path)
    {
        long kilobytes = 0;
        bool isMapping = false;
        bool wasFound = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            // A mapping's first line begins with its addresses, its others with a name and a colon.
            string head = line.Split(' ', 2)[0];
            isMapping = head.EndsWith(':') ? isMapping : line.EndsWith(path, StringComparison.Ordinal);
            if (isMapping && head == "Rss:")
            {
                wasFound = true;
                kilobytes += long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            }
        }
        Assert.IsTrue(wasFound, $"{path} is not mapped.");
        return kilobytes * 1024;
    }
}
