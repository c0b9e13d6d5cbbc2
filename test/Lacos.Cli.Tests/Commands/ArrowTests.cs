using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Lacos.Cli.Tests.Input;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class ArrowTests
{
    private static readonly IArrowType[] TextTypes = [StringType.Default, LargeStringType.Default, StringViewType.Default, new DictionaryType(Int16Type.Default, StringType.Default, false)];

    [TestMethod]
    [DataRow(null)]
    [DataRow(CompressionCodecType.Lz4Frame)]
    [DataRow(CompressionCodecType.Zstd)]
    public void TextsOfEveryKindAreReadThroughBatchesWithNullsAsMissing(CompressionCodecType? codec)
    {
        using var folder = new TemporaryFolder();
        foreach (IArrowType type in TextTypes)
        {
            foreach (string name in (string[])["in.arrow", "in.arrows", "in.feather"])
            {
                string path = folder.Write(name, ArrowSample.Write(ArrowSample.Batches(type), isFile: name != "in.arrows", codec));
                CollectionAssert.AreEqual(Enumerable.Range(0, ArrowSample.Rows).Select(ArrowSample.Text).ToArray(), RecordColumn.Read(path, "text"), $"{type.Name} {name}");
                CollectionAssert.AreEqual(Enumerable.Range(0, ArrowSample.Rows).Select(i => $"{i}").ToArray(), RecordColumn.Read(path, "id"), "numbers as texts");
            }
        }
    }

    /// <summary>Written by other implementations: Arrow's in JavaScript (apache-arrow 21.2), and Polars' in Rust (nodejs-polars 0.25), whose texts are views.</summary>
    [TestMethod]
    [DataRow("js-stream.arrows")]
    [DataRow("polars-uncompressed.arrow")]
    [DataRow("polars-lz4.arrow")]
    [DataRow("polars-zstd.arrow")]
    [DataRow("polars-dictionary.feather")]
    [DataRow("polars-stream.arrows")]
    public void FilesOfOtherWritersAreRead(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Input", "Arrow");
        string path = Path.Combine(folder, name);
        string[] texts = File.ReadAllLines(Path.Combine(folder, "texts.txt"));
        CollectionAssert.AreEqual(texts, RecordColumn.Read(path, "text").Select(text => text ?? "").ToArray());
        CollectionAssert.AreEqual(texts.Reverse().ToArray(), RecordColumn.Read(path, "other").Select(text => text ?? "").ToArray());
        CollectionAssert.AreEqual(Enumerable.Range(0, texts.Length).Select(i => $"{i % 6}").ToArray(), RecordColumn.Read(path, "score"));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void StandardInputIsReadAsAFileOrAStreamPackedOrNot(bool isPacked)
    {
        foreach (bool isFile in (bool[])[false, true])
        {
            byte[] bytes = ArrowSample.Write(ArrowSample.Batches(StringType.Default), isFile);
            using var input = new MemoryStream(isPacked ? TemporaryFolder.Gzip(bytes) : bytes);
            ToolRun run = ToolRun.Of(new FakeModels(), input, default, "embed", "-i", "-", "--format", "arrow", "-o", "-");
            Assert.AreEqual(0, run.ExitCode, run.Error);
            StringAssert.StartsWith(run.Output, "{\"text\":null,");
            Assert.AreEqual(ArrowSample.Rows, run.Output.Count(character => character == '\n'));
        }
    }

    [TestMethod]
    [DataRow("float32")]
    [DataRow("int8")]
    [DataRow("binary")]
    public void VectorsInArrowAreThoseInNpy(string precision)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\n\nsome text\n");
        foreach (string name in (string[])["v.npy", "f.arrow", "s.arrows"])
        {
            Done(ToolRun.Of("embed", "-i", input, "-o", folder.File(name), "--precision", precision, "--prompt", "query: "));
        }
        byte[] expected = File.ReadAllBytes(folder.File("v.npy"))[128..];
        using (var file = new ArrowFileReader(File.OpenRead(folder.File("f.arrow"))))
        {
            Check(file.ReadNextRecordBatch(), precision, expected);
        }
        byte[] stream = File.ReadAllBytes(folder.File("s.arrows"));
        using (var reader = new ArrowStreamReader(new MemoryStream(stream)))
        {
            Check(reader.ReadNextRecordBatch(), precision, expected);
            Assert.IsNull(reader.ReadNextRecordBatch());
        }
        CollectionAssert.AreEqual(stream, StandardOutput("embed", "-i", input, "-o", "-", "--output-format", "arrows", "--precision", precision, "--prompt", "query: "));
        Assert.IsTrue(File.Exists(folder.File("s.json")));
    }

    [TestMethod]
    public void ManyRowsMakeBatchesOfBoundedSizeWhateverTheWindows()
    {
        using var folder = new TemporaryFolder();
        const int Dimension = 1 << 18;
        var facts = new Dictionary<string, string>();
        foreach ((string name, int step) in (ReadOnlySpan<(string, int)>)[("a.arrow", 1), ("b.arrow", 3)])
        {
            using ArrowVectorWriter writer = ArrowVectorWriter.ToFile(folder.File(name), Dimension, VectorPrecision.Float32, facts);
            for (int row = 0; row < 9; row += step)
            {
                writer.Write(new string?[step], new float[step * Dimension]);
            }
            writer.Complete();
        }
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("a.arrow")), File.ReadAllBytes(folder.File("b.arrow")));
        using var reader = new ArrowFileReader(File.OpenRead(folder.File("a.arrow")));
        var lengths = new List<int>();
        while (reader.ReadNextRecordBatch() is RecordBatch batch)
        {
            lengths.Add(batch.Length);
        }
        CollectionAssert.AreEqual(new[] { 4, 4, 1 }, lengths);
    }

    [TestMethod]
    public void NoTextsGiveATableWithoutRowsAndBack()
    {
        using var folder = new TemporaryFolder();
        Done(ToolRun.Of("embed", "-i", folder.Write("in.txt", ""), "-o", folder.File("v.arrow")));
        using (var reader = new ArrowFileReader(File.OpenRead(folder.File("v.arrow"))))
        {
            RecordBatch batch = reader.ReadNextRecordBatch();
            Assert.AreEqual(0, batch.Length);
            Assert.AreEqual("embedding", batch.Schema.GetFieldByIndex(0).Name);
            Assert.IsNull(reader.ReadNextRecordBatch());
        }
        RecordBatch empty = ArrowSample.Batches(StringType.Default)[1];
        Assert.IsEmpty(RecordColumn.Read(folder.Write("none.arrow", ArrowSample.Write([empty], isFile: true)), "text"));
    }

    [TestMethod]
    public void ShardsOfArrowAreTheRowsOfOneRunAndAreNotMadeAgain()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.arrows", ArrowSample.Write(ArrowSample.Batches(StringType.Default), isFile: false));
        Done(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.jsonl")));
        string parts = "";
        for (int i = 1; i <= 7; i++)
        {
            Done(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.jsonl"), "--shard", $"{i}/7"));
            parts += File.ReadAllText(folder.File($"v-0000{i}-of-00007.jsonl"));
        }
        Assert.AreEqual(File.ReadAllText(folder.File("v.jsonl")), parts);
        string[] command = ["embed", "-i", input, "-o", folder.File("w.arrow"), "--shard", "2/7"];
        Done(ToolRun.Of(command));
        StringAssert.Contains(ToolRun.Of(command).Error, "is there already, whole");
        StringAssert.Contains(File.ReadAllText(folder.File("w-00002-of-00007.json")), "\"input_format\": \"arrow\"");
    }

    [TestMethod]
    public void PairsAndScoresInArrowAreEvaluated()
    {
        using var folder = new TemporaryFolder();
        var schema = new Schema([new Field("sentence1", StringType.Default, true), new Field("sentence2", StringType.Default, true), new Field("score", DoubleType.Default, true)], null);
        var batch = new RecordBatch(
            schema,
            [
                new StringArray.Builder().AppendRange(["a b", "c d", "e f"]).Build(),
                new StringArray.Builder().AppendRange(["a b", "c x", "zzz"]).Build(),
                new DoubleArray.Builder().AppendRange([5, 2.5, 0]).Build(),
            ],
            3);
        folder.Write("sts.arrow", ArrowSample.Write([batch], isFile: true));
        folder.Write("sts.tsv", "sentence1\tsentence2\tscore\na b\ta b\t5\nc d\tc x\t2.5\ne f\tzzz\t0\n");
        ToolRun arrow = ToolRun.Of("eval", "--data", folder.File("sts.arrow"));
        Done(arrow);
        Assert.AreEqual(ToolRun.Of("eval", "--data", folder.File("sts.tsv")).Output, arrow.Output);
    }

    [TestMethod]
    public void WhatCannotBeDoneIsRefusedWithAWayOut()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\n");
        Done(ToolRun.Of("embed", "-i", input, "-o", folder.File("v.arrow")));
        ToolRun list = ToolRun.Of("embed", "-i", folder.File("v.arrow"), "-o", "-");
        Assert.AreEqual(1, list.ExitCode);
        StringAssert.Contains(list.Error, "The column 'embedding'");
        StringAssert.Contains(list.Error, "cast it to a string column");
        ToolRun format = ToolRun.Of("embed", "-i", input, "-o", folder.File("w.npy"), "--output-format", "arrows");
        Assert.AreEqual(2, format.ExitCode);
        StringAssert.Contains(format.Error, "--output-format is for --output -");
    }

    private static void Done(ToolRun run) => Assert.AreEqual(0, run.ExitCode, run.Error);

    private static byte[] StandardOutput(params string[] arguments)
    {
        using var output = new MemoryStream();
        var models = new FakeModels();
        using (var streams = new ToolStreams(Stream.Null, output, new StringWriter(), errorIsTerminal: false))
        {
            Assert.AreEqual(0, LacosTool.RunAsync(arguments, streams, models, models, default).GetAwaiter().GetResult());
        }
        return output.ToArray();
    }

    private static void Check(RecordBatch batch, string precision, byte[] expected)
    {
        Assert.AreEqual(3, batch.Length);
        Field field = batch.Schema.GetFieldByIndex(0);
        Assert.AreEqual("embedding", field.Name);
        Assert.AreEqual("f00d", batch.Schema.Metadata["lacos.fingerprint"]);
        Assert.AreEqual("query: ", batch.Schema.Metadata["lacos.prompt"]);
        Assert.AreEqual("12", batch.Schema.Metadata["lacos.dimension"]);
        ArrayData data = batch.Column(0).Data;
        if (precision == "binary")
        {
            Assert.AreEqual(2, ((FixedSizeBinaryType)field.DataType).ByteWidth);
        }
        else
        {
            Assert.AreEqual(12, ((FixedSizeListType)field.DataType).ListSize);
            data = data.Children[0];
            Assert.AreEqual(precision == "int8" ? ArrowTypeId.Int8 : ArrowTypeId.Float, data.DataType.TypeId);
        }
        CollectionAssert.AreEqual(expected, data.Buffers[1].Span[..expected.Length].ToArray());
    }
}
