using System.Buffers.Binary;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using Lacos.Cli.Terminal;

namespace Lacos.Cli.Tests.Input;

[TestClass]
public sealed class ArrowDamageTests
{
    [TestMethod]
    [DataRow(false, null)]
    [DataRow(true, null)]
    [DataRow(true, CompressionCodecType.Lz4Frame)]
    [DataRow(false, CompressionCodecType.Zstd)]
    public void EachCutIsRefused(bool isFile, CompressionCodecType? codec)
    {
        using var folder = new TemporaryFolder();
        byte[] whole = Coded(isFile, codec);
        for (int length = 0; length < whole.Length; length++)
        {
            string cut = folder.Write("cut.arrow", whole[..length]);
            StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(cut, "text"), $"{length} bytes").Message, "cannot be read as Arrow");
        }
    }

    [TestMethod]
    [DataRow(false, null)]
    [DataRow(true, CompressionCodecType.Lz4Frame)]
    [DataRow(true, CompressionCodecType.Zstd)]
    public void EachByteThatIsDamagedIsReadOrRefusedAndNeverACrash(bool isFile, CompressionCodecType? codec)
    {
        using var folder = new TemporaryFolder();
        byte[] whole = Coded(isFile, codec);
        int refused = 0;
        foreach (int position in Enumerable.Range(0, whole.Length))
        {
            foreach (byte value in (byte[])[0x00, 0x7f, 0xff, (byte)(whole[position] ^ 1)])
            {
                byte[] damaged = [.. whole];
                damaged[position] = value;
                refused += IsRefused(folder, damaged) ? 1 : 0;
            }
        }
        Assert.IsGreaterThan(whole.Length / 4, refused);
    }

    [TestMethod]
    public void SeveralBytesThatAreDamagedAreReadOrRefusedAndNeverACrash()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(20);
        byte[][] wholes =
        [
            Coded(isFile: true, null), Coded(isFile: false, CompressionCodecType.Lz4Frame), ArrowSample.Write(ArrowSample.Batches(StringViewType.Default), isFile: false),
            ArrowSample.Write(ArrowSample.Batches(LargeStringType.Default), isFile: true, CompressionCodecType.Zstd),
        ];
        int refused = 0;
        for (int round = 0; round < 4000; round++)
        {
            byte[] damaged = [.. wholes[round % wholes.Length]];
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }
            refused += IsRefused(folder, damaged) ? 1 : 0;
        }
        Assert.IsGreaterThan(1000, refused);
    }

    [TestMethod]
    public void ALengthTakesNoMemoryBeforeTheBytesAreThere()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write(ArrowSample.Batches(StringType.Default), isFile: false);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 1 << 26);
        string path = folder.Write("long.arrows", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Refusal(path), "it was cut short");
        Assert.IsLessThan(16 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), int.MaxValue);
        StringAssert.Contains(Refusal(folder.Write("long.arrows", bytes)), "2147483647 bytes, of which at most 67108864 are read");
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), -8);
        StringAssert.Contains(Refusal(folder.Write("long.arrows", bytes)), "said to have -8 bytes");
    }

    [TestMethod]
    [DataRow(1L << 40, "1099511627776 rows, of which at most")]
    [DataRow(-1L, "-1 rows, of which at most")]
    [DataRow(1L << 20, "values in one of its columns")]
    public void RowsThatABatchCannotHaveAreRefused(long rows, string expected)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write([Numbered(1234)], isFile: false);

        // The number of rows stands before those of the columns.
        int[] places = Places(bytes, 1234);
        Assert.IsGreaterThan(1, places.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(places.Single(place => !places.Contains(place - 16) && !places.Contains(place + 16))), rows);
        StringAssert.Contains(Refusal(folder.Write("rows.arrows", bytes)), expected);
    }

    [TestMethod]
    [DataRow(1L << 40)]
    [DataRow(-8L)]
    [DataRow(long.MaxValue)]
    public void ABufferOutsideItsBatchIsRefused(long length)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write([Numbered(1280)], isFile: false);
        int[] places = Places(bytes, 1280 * sizeof(int));
        Assert.IsNotEmpty(places);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(places[0]), length);
        StringAssert.Contains(Refusal(folder.Write("buffer.arrows", bytes)), $"a buffer of {length} bytes from");
    }

    [TestMethod]
    public void ABufferThatBeginsInItsBatchAndReachesBeyondItIsRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write([Numbered(1280)], isFile: false);

        // The last one is the length of the second column, which begins there, too.
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(Places(bytes, 1280 * sizeof(int))[^1]), 6000);
        StringAssert.Contains(Refusal(folder.Write("buffer.arrows", bytes)), "a buffer of 6000 bytes from 5120");
    }

    [TestMethod]
    public void MoreNullsThanValuesAreRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write([Numbered(1234)], isFile: false);
        int[] places = Places(bytes, 1234);
        int first = places.First(place => places.Contains(place + 16));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(first + 8), 1235);
        StringAssert.Contains(Refusal(folder.Write("nulls.arrows", bytes)), "more nulls than values");
    }

    [TestMethod]
    public void AnUnpackedLengthBeyondTheLimitIsRefused()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = ArrowSample.Write([Numbered(1280)], isFile: false, CompressionCodecType.Lz4Frame);
        int[] places = Places(bytes, 1280 * sizeof(int));
        Assert.IsNotEmpty(places);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(places[^1]), 1L << 31);
        StringAssert.Contains(Refusal(folder.Write("bomb.arrows", bytes)), "unpacks to more than 1073741824 bytes");
    }

    [TestMethod]
    [DataRow(new[] { 0, 1000 }, "a value outside its batch")]
    [DataRow(new[] { -4, 2 }, "a value outside its batch")]
    [DataRow(new[] { 2, 0 }, "a value outside its batch")]
    [DataRow(new[] { 0, 3 }, "a text that is not valid UTF-8")]
    public void TextsThatCannotBeAreRefusedWithTheirRow(int[] offsets, string expected)
    {
        using var folder = new TemporaryFolder();
        byte[] raw = ArrowSample.Raw(1, [0, 0, 0, 0, 3, 0, 0, 0], [0x61, 0xff, 0x62]);
        offsets.SelectMany(BitConverter.GetBytes).ToArray().CopyTo(raw, Places(raw, 3L << 32)[^1]);
        string message = Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(folder.Write("raw.arrows", raw), "text")).Message;
        StringAssert.Contains(message, $"Row 1 of '{folder.File("raw.arrows")}' has {expected} in its column 'text'");
    }

    [TestMethod]
    public void AnEntryThatADictionaryHasNotIsRefused()
    {
        using var folder = new TemporaryFolder();
        var type = new DictionaryType(Int8Type.Default, StringType.Default, false);
        foreach (sbyte index in (sbyte[])[2, -1])
        {
            var column = new DictionaryArray(type, new Int8Array.Builder().AppendRange([0, index]).Build(), new StringArray.Builder().AppendRange(["a", "b"]).Build());
            string path = folder.Write("index.arrows", ArrowSample.OfColumn(column));
            StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => RecordColumn.Read(path, "text")).Message, $"Row 2 of '{path}' has entry {index} of a dictionary of 2");
        }
    }

    [TestMethod]
    public void SchemasOfManyFieldsWithinOneAnotherAreRefused()
    {
        using var folder = new TemporaryFolder();
        IArrowType type = StringType.Default;
        for (int depth = 0; depth < 40; depth++)
        {
            type = new StructType([new Field("in", type, true)]);
        }
        using var bytes = new MemoryStream();
        using (var writer = new ArrowStreamWriter(bytes, new Schema([new Field("text", type, true)], null), leaveOpen: true))
        {
            writer.WriteStart();
            writer.WriteEnd();
        }
        StringAssert.Contains(Refusal(folder.Write("deep.arrows", bytes.ToArray())), "more than 32 within one another");
    }

    [TestMethod]
    public void WhatStandsBehindTheEndOfAStreamIsNotLeftOutSilently()
    {
        using var folder = new TemporaryFolder();
        byte[] stream = ArrowSample.Write(ArrowSample.Batches(StringType.Default), isFile: false);
        StringAssert.Contains(Refusal(folder.Write("two.arrows", [.. stream, .. stream])), "there are bytes behind its end");
        StringAssert.Contains(Refusal(folder.Write("cut.arrows", stream[..^8])), "it was cut short");
    }

    [TestMethod]
    public void AFileWithoutABatchThatItsEndNamesIsRefused()
    {
        using var folder = new TemporaryFolder();
        RecordBatch batch = Numbered(3);
        byte[] one = ArrowSample.Write([batch], isFile: true);
        byte[] two = ArrowSample.Write([batch, batch], isFile: true);
        int footer = BinaryPrimitives.ReadInt32LittleEndian(two.AsSpan(two.Length - 10)) + 10;
        int ownFooter = BinaryPrimitives.ReadInt32LittleEndian(one.AsSpan(one.Length - 10)) + 10;
        StringAssert.Contains(Refusal(folder.Write("less.arrow", [.. one[..^ownFooter], .. two[^footer..]])), "its end names 2 batches of rows, and 1 are in it");
    }

    [TestMethod]
    [DataRow("FEA1....", "Feather of version 1")]
    [DataRow("text\nmore text\n", "it is no Arrow file or stream")]
    [DataRow("", "it is empty")]
    public void WhatIsNoArrowIsSaidSo(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        StringAssert.Contains(Refusal(folder.Write("other.arrow", content)), expected);
    }

    [TestMethod]
    public void AFileWithoutBatchesWhoseSchemaIsBehindItsEndIsSaidSo()
    {
        using var folder = new TemporaryFolder();
        using var bytes = new MemoryStream();
        using (var writer = new ArrowFileWriter(bytes, new Schema([new Field("text", StringType.Default, true)], null), leaveOpen: true))
        {
            writer.WriteStart();
            writer.WriteEnd();
        }
        StringAssert.Contains(Refusal(folder.Write("empty.arrow", bytes.ToArray())), "it ends before its schema");
    }

    [TestMethod]
    public void AFileWhoseSchemaIsAtItsEndOnlyIsRefusedWithTheCallThatMakesAReadableOne()
    {
        using var folder = new TemporaryFolder();
        byte[] file = ArrowSample.Write([Numbered(3)], isFile: true);
        int schema = 8 + BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12));
        string refusal = Refusal(folder.Write("script.arrow", [.. file[..8], .. file[(8 + schema)..]]));
        StringAssert.Contains(refusal, "its batches come before its schema, as in files of Arrow's writer in JavaScript; write a stream there, with tableToIPC(table, 'stream')");
        Assert.HasCount(3, RecordColumn.Read(folder.Write("stream.arrow", ArrowSample.Write([Numbered(3)], isFile: false)), "text"), "a stream under a file's name");
    }

    private static byte[] Coded(bool isFile, CompressionCodecType? codec) =>
        ArrowSample.Write(ArrowSample.Batches(new DictionaryType(Int16Type.Default, StringType.Default, false)), isFile, codec);

    private static RecordBatch Numbered(int rows)
    {
        var schema = new Schema([new Field("text", Int32Type.Default, false), new Field("other", Int32Type.Default, false)], null);
        Int32Array column = new Int32Array.Builder().AppendRange(Enumerable.Repeat(7, rows)).Build();
        return new RecordBatch(schema, [column, column], rows);
    }

    // Where a number of eight bytes stands.
    private static int[] Places(byte[] bytes, long value) =>
        [.. Enumerable.Range(0, (bytes.Length / 4) - 1).Select(word => 4 * word).Where(place => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(place)) == value)];

    private static string Refusal(string path)
    {
        ToolRun run = ToolRun.Of("embed", "-i", path, "-o", "-", "--column", "0");
        Assert.AreEqual(1, run.ExitCode, run.Error);
        StringAssert.Contains(run.Error, "cannot be read as Arrow");
        return run.Error;
    }

    private static bool IsRefused(TemporaryFolder folder, byte[] bytes)
    {
        try
        {
            RecordColumn.Read(folder.Write("damaged.arrow", bytes), "text");
            return false;
        }
        catch (Exception error) when (error is InvalidDataException or UsageException)
        {
            return true;
        }
    }
}
