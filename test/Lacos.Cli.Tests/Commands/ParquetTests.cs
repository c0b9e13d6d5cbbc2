using Lacos.Cli.Input;
using Lacos.Cli.Output;
using Lacos.Cli.Terminal;
using Lacos.Cli.Tests.Input;
using Parquet;
using Parquet.Schema;

namespace Lacos.Cli.Tests.Commands;

[TestClass]
public sealed class ParquetTests
{
    private const int Rows = 25;

    [TestMethod]
    [DataRow(CompressionMethod.None)]
    [DataRow(CompressionMethod.Snappy)]
    [DataRow(CompressionMethod.Gzip)]
    [DataRow(CompressionMethod.Zstd)]
    public void TextsAreReadThroughRowGroupsWithNullsAsMissing(CompressionMethod compression)
    {
        using var folder = new TemporaryFolder();
        string path = Write(folder, "in.parquet", compression);
        CollectionAssert.AreEqual(Enumerable.Range(0, Rows).Select(Text).ToArray(), RecordColumn.Read(path, "text"));
        CollectionAssert.AreEqual(Enumerable.Range(0, Rows).Select(i => $"{i}").ToArray(), RecordColumn.Read(path, "id"), "numbers as texts");
        ToolRun run = ToolRun.Of("embed", "-i", path, "-o", "-");
        Assert.AreEqual(0, run.ExitCode, run.Error);
        StringAssert.StartsWith(run.Output, "{\"text\":null,");
        StringAssert.Contains(run.Error, "25 texts");
    }

    /// <summary>Written by another implementation, Apache Arrow's in C++ (ParquetSharp 25.0): three row groups, small pages, with and without dictionaries.</summary>
    [TestMethod]
    [DataRow("none")]
    [DataRow("snappy")]
    [DataRow("gzip")]
    [DataRow("brotli")]
    [DataRow("lz4")]
    [DataRow("zstd")]
    public void FilesOfArrowAreRead(string compression)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Input", "Arrow");
        string path = Path.Combine(folder, $"arrow-{compression}.parquet");
        string[] texts = File.ReadAllLines(Path.Combine(folder, "texts.txt"));
        CollectionAssert.AreEqual(texts, RecordColumn.Read(path, "text").Select(text => text ?? "").ToArray());
        CollectionAssert.AreEqual(texts.Reverse().ToArray(), RecordColumn.Read(path, "other").Select(text => text ?? "").ToArray());
        CollectionAssert.AreEqual(Enumerable.Range(0, texts.Length).Select(i => $"{i % 6}").ToArray(), RecordColumn.Read(path, "score"));
    }

    [TestMethod]
    public void ShardsOfParquetAreTheBytesOfOneRun()
    {
        using var folder = new TemporaryFolder();
        string input = Write(folder, "in.parquet", CompressionMethod.Snappy);
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", input, "-o", folder.File("v.jsonl")).ExitCode);
        for (int i = 1; i <= 7; i++)
        {
            ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File("v.jsonl"), "--shard", $"{i}/7");
            Assert.AreEqual(0, run.ExitCode, run.Error);
        }
        string side = File.ReadAllText(folder.File("v-00003-of-00007.json"));
        StringAssert.Contains(side, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(input))), "the hash of all bytes, though they are not read in order");
        string parts = string.Concat(Enumerable.Range(1, 7).Select(i => File.ReadAllText(folder.File($"v-0000{i}-of-00007.jsonl"))));
        Assert.AreEqual(File.ReadAllText(folder.File("v.jsonl")), parts);
    }

    [TestMethod]
    [DataRow("float32")]
    [DataRow("int8")]
    [DataRow("binary")]
    public void VectorsInParquetAreThoseInNpy(string precision)
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in.txt", "a\n\nsome text\n");
        foreach (string name in (string[])["v.npy", "w.parquet"])
        {
            ToolRun run = ToolRun.Of("embed", "-i", input, "-o", folder.File(name), "--precision", precision);
            Assert.AreEqual(0, run.ExitCode, run.Error);
        }
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("v.npy"))[128..], Embeddings(folder.File("w.parquet"), precision));
        Assert.IsTrue(File.Exists(folder.File("w.json")));
    }

    [TestMethod]
    public void ManyRowsMakeRowGroupsOfBoundedSizeWhateverTheWindows()
    {
        using var folder = new TemporaryFolder();
        const int Dimension = 1 << 20;
        foreach ((string name, int step) in (ReadOnlySpan<(string, int)>)[("a.parquet", 1), ("b.parquet", 3)])
        {
            using var writer = new ParquetVectorWriter(folder.File(name), Dimension, VectorPrecision.Float32);
            for (int row = 0; row < 9; row += step)
            {
                writer.Write(new string?[step], new float[step * Dimension]);
            }
            writer.Complete();
        }
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("a.parquet")), File.ReadAllBytes(folder.File("b.parquet")));
        using FileStream file = File.OpenRead(folder.File("a.parquet"));
        ParquetReader reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        CollectionAssert.AreEqual(new long[] { 4, 4, 1 }, reader.RowGroups.Select(group => group.RowCount).ToArray());
    }

    [TestMethod]
    public void NoTextsGiveAFileWithoutRows()
    {
        using var folder = new TemporaryFolder();
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", folder.Write("in.txt", ""), "-o", folder.File("v.parquet")).ExitCode);
        using FileStream file = File.OpenRead(folder.File("v.parquet"));
        ParquetReader reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        Assert.AreEqual(0, reader.RowGroupCount);
        Assert.AreEqual("embedding", reader.Schema.Fields[0].Name);
    }

    [TestMethod]
    public void PairsAndScoresInParquetAreEvaluated()
    {
        using var folder = new TemporaryFolder();
        var first = new DataField<string>("sentence1");
        var second = new DataField<string>("sentence2");
        var score = new DataField<double>("score");
        using (FileStream file = File.Create(folder.File("sts.parquet")))
        {
            ParquetWriter writer = ParquetWriter.CreateAsync(new ParquetSchema(first, second, score), file).GetAwaiter().GetResult();
            using (ParquetRowGroupWriter group = writer.CreateRowGroup())
            {
                group.WriteAsync(first, (string[])["a b", "c d", "e f"]).GetAwaiter().GetResult();
                group.WriteAsync(second, (string[])["a b", "c x", "zzz"]).GetAwaiter().GetResult();
                group.WriteAsync<double>(score, new double[] { 5, 2.5, 0 }.AsMemory()).GetAwaiter().GetResult();
            }
            writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        folder.Write("sts.tsv", "sentence1\tsentence2\tscore\na b\ta b\t5\nc d\tc x\t2.5\ne f\tzzz\t0\n");
        ToolRun parquet = ToolRun.Of("eval", "--data", folder.File("sts.parquet"));
        Assert.AreEqual(0, parquet.ExitCode, parquet.Error);
        Assert.AreEqual(ToolRun.Of("eval", "--data", folder.File("sts.tsv")).Output, parquet.Output);
    }

    [TestMethod]
    public void EachByteThatIsDamagedIsReadOrRefusedAndNeverACrash()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = File.ReadAllBytes(Write(folder, "in.parquet", CompressionMethod.Snappy));
        int refused = 0;
        foreach (int position in Enumerable.Range(0, whole.Length))
        {
            foreach (byte value in (byte[])[0x00, 0x7f, 0xff])
            {
                byte[] damaged = [.. whole];
                damaged[position] = value;
                try
                {
                    RecordColumn.Read(folder.Write("damaged.parquet", damaged), "text");
                }
                catch (Exception error) when (error is InvalidDataException or UsageException)
                {
                    refused++;
                }
            }
        }
        Assert.IsGreaterThan(whole.Length / 4, refused);
        for (int length = 0; length < whole.Length; length++)
        {
            string cut = folder.Write("cut.parquet", whole[..length]);
            StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(cut, "text")).Message, "cannot be read as Parquet");
        }
    }

    [TestMethod]
    public void PlacesCountTheRowsOfAllRowGroups()
    {
        using var folder = new TemporaryFolder();
        using RecordReader records = RecordReader.Open(Write(folder, "in.parquet", CompressionMethod.None), null, hasHeader: true, Stream.Null);
        var values = new string?[1];
        Assert.AreEqual(22, records.Skip(22, [0], values));
        Assert.IsTrue(records.Read([0], values));
        Assert.AreEqual("22", values[0]);
        StringAssert.StartsWith(records.Place, "Row 23 of ");
        Assert.AreEqual(2, records.Skip(100, [0], values), "those left of a group that was begun");
    }

    [TestMethod]
    public void CountsThatDoNotAgreeOrAreTooLargeAreRefused()
    {
        using var folder = new TemporaryFolder();
        var id = new DataField<int>("id");
        var whole = new MemoryStream();
        ParquetWriter writer = ParquetWriter.CreateAsync(new ParquetSchema(id), whole, new ParquetOptions { CompressionMethod = CompressionMethod.None }).GetAwaiter().GetResult();
        using (ParquetRowGroupWriter group = writer.CreateRowGroup())
        {
            group.WriteAsync<int>(id, Enumerable.Range(0, 63).ToArray().AsMemory()).GetAwaiter().GetResult();
        }
        writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        byte[] bytes = whole.ToArray();
        int footer = bytes.Length - 8 - BitConverter.ToInt32(bytes, bytes.Length - 8);
        var messages = new List<string>();

        // 63 is one byte as Thrift writes it, behind the type of a long integer.
        foreach (int place in Enumerable.Range(footer, bytes.Length - footer - 9).Where(place => bytes[place] == 126 && bytes[place - 1] % 16 == 6))
        {
            foreach (byte[] count in (byte[][])[[124], [128, 128, 128, 32]])
            {
                byte[] changed = [.. bytes[..place], .. count, .. bytes[(place + 1)..^8], .. BitConverter.GetBytes(bytes.Length - 8 - footer + count.Length - 1), .. bytes[^4..]];
                try
                {
                    Assert.HasCount(63, RecordColumn.Read(folder.Write("changed.parquet", changed), "id"));
                }
                catch (InvalidDataException error)
                {
                    messages.Add(error.Message);
                }
            }
        }
        Assert.Contains(message => message.Contains("a row group has 63 rows and 62 values in one of its columns", StringComparison.Ordinal), messages);
        Assert.Contains(message => message.Contains("a row group has 33554432 rows, at most 16777216 are read", StringComparison.Ordinal), messages);
    }

    [TestMethod]
    public void MetadataOfStructuresInStructuresAreRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] footer = [.. Enumerable.Repeat((byte)0x1c, 4_000_000)];
        string path = folder.Write("deep.parquet", [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(path, "text")).Message, "its metadata are damaged or too large");
        string more = folder.Write("more.parquet", [.. "PAR1"u8, 0, 0xff, 0xff, 0xff, 0x7f, .. "PAR1"u8]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(more, "text")).Message, "which the file has not");
    }

    [TestMethod]
    public void WhatCannotBeReadAsTextsIsRefusedWithAWayOut()
    {
        using var folder = new TemporaryFolder();
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", folder.Write("in.txt", "a\n"), "-o", folder.File("v.parquet")).ExitCode);
        ToolRun list = ToolRun.Of("embed", "-i", folder.File("v.parquet"), "-o", "-");
        Assert.AreEqual(1, list.ExitCode);
        StringAssert.Contains(list.Error, "The column 'embedding'");
        StringAssert.Contains(list.Error, "cast it to a string column");
        Assert.AreEqual(0, ToolRun.Of("embed", "-i", folder.File("in.txt"), "-o", folder.File("b.parquet"), "--precision", "binary").ExitCode);
        StringAssert.Contains(ToolRun.Of("embed", "-i", folder.File("b.parquet"), "-o", "-").Error, "holds byte arrays");
        ToolRun standard = ToolRun.Of(new FakeModels(), "x", default, "embed", "-i", "-", "--format", "parquet", "-o", "-");
        Assert.AreEqual(2, standard.ExitCode);
        StringAssert.Contains(standard.Error, "standard input does not allow");
    }

    [TestMethod]
    public void ALongTextThatAWriterPutsIntoAPageHeaderTooIsRead()
    {
        using var folder = new TemporaryFolder();
        var text = new DataField<string>("text");
        string[] texts = ["a", new('b', 200_000), "c"];
        using (FileStream file = File.Create(folder.File("long.parquet")))
        {
            ParquetWriter writer = ParquetWriter.CreateAsync(new ParquetSchema(text), file).GetAwaiter().GetResult();
            using (ParquetRowGroupWriter group = writer.CreateRowGroup())
            {
                group.WriteAsync(text, texts).GetAwaiter().GetResult();
            }
            writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        CollectionAssert.AreEqual(texts, RecordColumn.Read(folder.File("long.parquet"), "text"));
    }

    private static string? Text(int i) => i % 4 == 0 ? null : $"text ä {i % 3}\n";

    // Three row groups, the last one shorter.
    private static string Write(TemporaryFolder folder, string name, CompressionMethod compression)
    {
        var id = new DataField<int>("id");
        var text = new DataField<string>("text");
        using FileStream file = File.Create(folder.File(name));
        var options = new ParquetOptions { CompressionMethod = compression };
        options.ColumnEncodingHints["text"] = EncodingHint.Dictionary;
        ParquetWriter writer = ParquetWriter.CreateAsync(new ParquetSchema(id, text), file, options).GetAwaiter().GetResult();
        foreach (int[] rows in Enumerable.Range(0, Rows).Chunk(10))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            group.WriteAsync<int>(id, rows.AsMemory()).GetAwaiter().GetResult();
            group.WriteAsync(text, rows.Select(Text).ToArray()).GetAwaiter().GetResult();
        }
        writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return folder.File(name);
    }

    private static byte[] Embeddings(string path, string precision)
    {
        using FileStream file = File.OpenRead(path);
        ParquetReader reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
        ParquetRowGroupReader group = reader.RowGroups.Single();
        DataField field = reader.Schema.DataFields.Single();
        int count = (int)group.GetMetadata(field)!.MetaData!.NumValues;
        Assert.AreEqual(3, group.RowCount);
        if (precision == "binary")
        {
            var rows = new byte[]?[count];
            group.ReadAsync(field, rows.AsMemory()).AsTask().GetAwaiter().GetResult();
            return [.. rows.SelectMany(row => row!)];
        }
        return precision == "int8" ? [.. Raw<sbyte>(group, field, count).Select(code => (byte)code)] : [.. Raw<float>(group, field, count).SelectMany(BitConverter.GetBytes)];
    }

    private static T[] Raw<T>(ParquetRowGroupReader group, DataField field, int count)
        where T : struct
    {
        var values = new T[count];
        var repeated = new int[count];
        group.ReadRawAsync(field, values.AsMemory(), new int[count].AsMemory(), repeated.AsMemory()).AsTask().GetAwaiter().GetResult();
        Assert.AreEqual(3, repeated.Count(level => level == 0), "a list a row");
        return values;
    }
}
