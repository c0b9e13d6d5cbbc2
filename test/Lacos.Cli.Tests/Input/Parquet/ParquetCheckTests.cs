using Lacos.Cli.Input.Parquet;
using Parquet.Meta;

namespace Lacos.Cli.Tests.Input.Parquet;

/// <summary>Metadata made by hand, each wrong in one way, and what is said of it.</summary>
[TestClass]
public sealed class ParquetCheckTests
{
    private const int DataPage = 5;
    private const int DictionaryPage = 7;

    [TestMethod]
    [DataRow("PAR1\0\0\0\0PAR", "it is not a Parquet file")]
    [DataRow("PARE\0\0\0\0PAR1", "it is not a Parquet file")]
    [DataRow("PAR1\0\0\0\0PARE", "it is not a Parquet file")]
    [DataRow("PAR1\u0001\0\0\0PAR1", "metadata are said to have 1 bytes")]
    public void AFileWithoutBothMarksAndItsMetadataIsRefused(string content, string expected) =>
        Assert.Contains(expected, Refusal(() => ParquetCheck.Footer(new MemoryStream(System.Text.Encoding.Latin1.GetBytes(content)))));

    [TestMethod]
    public void ASchemaOfMoreThanTenThousandElementsIsRefused()
    {
        ParquetCheck.Footer(Schema(10_000));
        Assert.Contains("its schema has 10001 elements, of which at most 10000 are read", Refusal(() => ParquetCheck.Footer(Schema(10_001))));
    }

    [TestMethod]
    public void PagesThatHoldTheirValuesArePassedAndADictionarysAreNotCounted()
    {
        byte[] dictionary = Page(DictionaryPage, values: 7, packed: 3, unpacked: 3);
        Pages(File(dictionary, Page(DataPage, 4, 5, 9), Page(8, 6, 1, 1)), 4, 10);
        Assert.Contains("not where its metadata say", Refusal(() => Pages(File(dictionary), 4, 7)));
        Assert.Contains("not where its metadata say", Refusal(() => Pages(File(dictionary), 3, 7)));
    }

    [TestMethod]
    [DataRow(1, 6, 5, 1, "a length that cannot be")]
    [DataRow(1, -1, 5, 1, "a length that cannot be")]
    [DataRow(1, 5, -1, 1, "a length that cannot be")]
    [DataRow(-1, 5, 5, 1, "a length that cannot be")]
    [DataRow(1, 5, (1 << 30) + 1, 1, "more than 1073741824 bytes in one row group")]
    [DataRow(1, 5, 1 << 29, 3, "more than 1073741824 bytes in one row group")]
    [DataRow((1 << 24) + 1, 5, 5, 1, "more than 1073741824 bytes in one row group")]
    public void APageThatCannotBeOrIsTooLargeIsRefused(int values, int packed, int unpacked, int pages, string expected)
    {
        byte[] page = [.. Page(DataPage, values, packed, unpacked)[..^Math.Max(0, packed)], 0, 0, 0, 0, 0];
        Assert.Contains(expected, Refusal(() => Pages(File([.. Enumerable.Repeat(page, pages)]), 4, (1L << 24) + 1)));
    }

    [TestMethod]
    public void StructuresLieInEachOtherToADepth()
    {
        Skip([.. Enumerable.Repeat((byte)0x1c, 32), .. new byte[33]], 100);
        Assert.Contains("damaged or too large", Refusal(() => Skip([.. Enumerable.Repeat((byte)0x1c, 33), .. new byte[34]], 100)));
    }

    [TestMethod]
    public void AListHasNoMoreElementsThanThereAreBytesOrValuesAllowed()
    {
        byte[] bytes = [0x19, 0xf3, 100, .. new byte[101]];
        Skip(bytes, 101);
        Assert.Contains("damaged or too large", Refusal(() => Skip(bytes, 100)));
        Assert.Contains("damaged or too large", Refusal(() => Skip(bytes[..^2], 1000)));
    }

    [TestMethod]
    public void ATruthValueTakesAByteInAListAndNoneInAStructure()
    {
        // A field true, a list of two truth values, an integer.
        byte[] bytes = [0x11, 0x19, 0x21, 1, 2, 0x15, 14, 0];
        var thrift = new ThriftReader(bytes, 100);
        int field = 0;
        while (thrift.NextField(ref field, out int type) && field < 3)
        {
            thrift.Skip(type);
        }
        Assert.AreEqual(3, field);
        Assert.AreEqual(7, thrift.ReadInteger());
    }

    [TestMethod]
    public void AFieldOfAnotherTypeThanTheFormatsIsRefused()
    {
        // Row groups, one; column chunks, one; metadata of a column; encodings: a list of integers, then of truth values, which kept a parser busy for hours.
        byte[] start = [0x49, 0x1c, 0x19, 0x1c, 0x3c, 0x15, 12];
        byte[] end = [0, 0, 0, 0];
        Footer([.. start, 0x19, 0x25, 0, 6, .. end]);
        Assert.Contains("damaged or too large", Refusal(() => Footer([.. start, 0x19, 0x21, 1, 2, .. end])));
        Assert.Contains("damaged or too large", Refusal(() => Footer([.. start, 0x16, 6, .. end])));

        // A field that is not known is of any type.
        Footer([0xe8, 1, 65, 0]);

        // The number of values of a page as a text.
        byte[] page = [0x15, 0, 0x15, 2, 0x15, 2, 0x2c, 0x18, 1, 65, 0, 0, 0];
        Assert.Contains("damaged or too large", Refusal(() => Pages(File(page), 4, 1)));
    }

    private static void Pages(Stream file, long start, long values) => ParquetCheck.Pages(file, new ColumnMetaData { DataPageOffset = start, NumValues = values });

    private static void Footer(byte[] footer) => ParquetCheck.Footer(new MemoryStream([.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8]));

    private static void Skip(byte[] structure, int mostValues)
    {
        var thrift = new ThriftReader(structure, mostValues);
        thrift.Skip(ThriftReader.Structure);
    }

    private static string Refusal(Action action) => Assert.ThrowsExactly<InvalidDataException>(action).Message;

    private static MemoryStream File(params byte[][] pages) => new([.. "PAR1"u8, .. pages.SelectMany(page => page)]);

    private static MemoryStream Schema(int elements)
    {
        byte[] footer = [0x29, 0xfc, .. Variable((ulong)elements), .. new byte[elements], 0];
        return new([.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8]);
    }

    // A header in Thrift's compact protocol with the fields that are looked at, and as many bytes as it says.
    private static byte[] Page(int kind, int values, int packed, int unpacked) =>
        [0x25, .. Integer(unpacked), 0x15, .. Integer(packed), (byte)(((kind - 3) << 4) | ThriftReader.Structure), 0x15, .. Integer(values), 0, 0, .. new byte[Math.Max(0, packed)]];

    private static byte[] Integer(int value) => Variable((uint)((value << 1) ^ (value >> 31)));

    private static byte[] Variable(ulong value) => value < 128 ? [(byte)value] : [(byte)(value | 128), .. Variable(value >> 7)];
}
