using System.Buffers.Binary;
using System.Globalization;
using Parquet.Meta;

namespace Lacos.Cli.Input.Parquet;

/// <summary>Looks through the metadata of a Parquet file before a parser believes them.</summary>
internal static class ParquetCheck
{
    /// <summary>Bytes that the pages of a column may unpack to in a row group.</summary>
    public const long LargestChunk = 1 << 30;

    private const int FooterEnd = 8;
    private const int LargestFooter = 1 << 26;
    private const int MostFooterValues = 8_000_000;

    // The parser calls itself for each group in a group of the schema.
    private const int MostColumns = 10_000;

    // Some writers put the least and the largest text of a page into its header, however long.
    private const int UsualPageHeader = 1 << 16;
    private const int LargestPageHeader = 1 << 26;
    private const int MostPageValues = 1000;

    /// <summary>Refuses a file that does not end like a Parquet file, or whose metadata would take too much memory or are not of Parquet's shape.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static void Footer(Stream file)
    {
        Span<byte> magic = stackalloc byte[4];
        Span<byte> end = stackalloc byte[FooterEnd];
        if (file.Length < magic.Length + FooterEnd || !Read(file, 0, magic).SequenceEqual("PAR1"u8) || !Read(file, file.Length - FooterEnd, end)[4..].SequenceEqual("PAR1"u8))
        {
            throw new InvalidDataException("it is not a Parquet file, is packed or encrypted, or was cut short");
        }
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > Math.Min(LargestFooter, file.Length - magic.Length - FooterEnd))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its metadata are said to have {length} bytes, which the file has not, or which are more than {LargestFooter}"));
        }
        var footer = new byte[length];
        Read(file, file.Length - FooterEnd - length, footer);
        var thrift = new ThriftReader(footer, MostFooterValues);
        int field = 0;
        while (thrift.NextField(ref field, out int type))
        {
            if (field == 2 && type == ThriftReader.List)
            {
                Schema(ref thrift);
            }
            else
            {
                thrift.Skip(type);
            }
        }
        new ThriftReader(footer, MostFooterValues).Require(ThriftShape.File, ThriftReader.Structure);
    }

    /// <summary>Refuses a column of a row group whose pages are not in the file, do not hold its values, or unpack to more than they may.</summary>
    /// <param name="file">The file.</param>
    /// <param name="chunk">Its metadata.</param>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static void Pages(Stream file, ColumnMetaData chunk)
    {
        // Where the reader begins, too.
        long start = new[] { chunk.DictionaryPageOffset ?? 0, chunk.DataPageOffset, chunk.IndexPageOffset ?? 0 }.Where(offset => offset != 0).DefaultIfEmpty(0).Min();
        var buffer = new byte[UsualPageHeader];
        long unpacked = 0;
        long found = 0;
        while (found < chunk.NumValues)
        {
            if (start < 4 || start >= file.Length)
            {
                throw new InvalidDataException("pages of a column are not where its metadata say");
            }
            Page page = PageAt(file, start, ref buffer);
            if (page.PackedSize < 0 || page.UnpackedSize < 0 || page.Values < 0 || page.PackedSize > file.Length - start - page.HeaderLength)
            {
                throw new InvalidDataException("a page of a column has a length that cannot be");
            }
            unpacked += Math.Max(page.UnpackedSize, page.PackedSize);
            found += page.IsDictionary ? 0 : page.Values;
            if (unpacked > LargestChunk || page.Values > GroupedRecords.MostRows)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a column has more than {LargestChunk} bytes in one row group; write it with smaller row groups"));
            }
            start += page.HeaderLength + page.PackedSize;
        }
    }

    private static Page PageAt(Stream file, long start, ref byte[] buffer)
    {
        for (int length = UsualPageHeader; ; length *= 2)
        {
            buffer = buffer.Length < length ? new byte[length] : buffer;
            Span<byte> head = buffer.AsSpan(0, (int)Math.Min(length, file.Length - start));
            Read(file, start, head);
            try
            {
                new ThriftReader(head, MostPageValues).Require(ThriftShape.Page, ThriftReader.Structure);
                return Page.Read(head);
            }
            catch (InvalidDataException) when (head.Length == length && length < LargestPageHeader)
            {
                // It may go on: twice as much, so that no file is read many times over.
            }
        }
    }

    private static void Schema(ref ThriftReader thrift)
    {
        int count = thrift.ReadList(out int type);
        if (count > MostColumns)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its schema has {count} elements, of which at most {MostColumns} are read"));
        }
        for (int i = 0; i < count; i++)
        {
            thrift.Skip(type, 1, isElement: true);
        }
    }

    private static Span<byte> Read(Stream file, long position, Span<byte> bytes)
    {
        file.Position = position;
        file.ReadExactly(bytes);
        return bytes;
    }

    private readonly record struct Page(int HeaderLength, long UnpackedSize, long PackedSize, long Values, bool IsDictionary)
    {
        public static Page Read(ReadOnlySpan<byte> head)
        {
            var thrift = new ThriftReader(head, MostPageValues);
            Page page = default;
            int field = 0;
            while (thrift.NextField(ref field, out int type))
            {
                switch (field, type)
                {
                    case (2, ThriftReader.Integer32):
                        page = page with { UnpackedSize = thrift.ReadInteger() };
                        break;
                    case (3, ThriftReader.Integer32):
                        page = page with { PackedSize = thrift.ReadInteger() };
                        break;
                    case (5 or 7 or 8, ThriftReader.Structure):
                        page = page with { Values = FirstInteger(ref thrift), IsDictionary = field == 7 };
                        break;
                    default:
                        thrift.Skip(type);
                        break;
                }
            }
            return page with { HeaderLength = thrift.Position };
        }

        // The number of values comes first in each kind of page.
        private static long FirstInteger(ref ThriftReader thrift)
        {
            long values = -1;
            int field = 0;
            while (thrift.NextField(ref field, out int type))
            {
                if (field == 1 && type == ThriftReader.Integer32)
                {
                    values = thrift.ReadInteger();
                }
                else
                {
                    thrift.Skip(type, 1);
                }
            }
            return values;
        }
    }
}
