using System.Globalization;

namespace Lacos.Cli.Input.Arrow;

/// <summary>Looks through the metadata of Arrow messages before a parser believes them.</summary>
/// <remarks>Numbers of fields are those of <c>Message.fbs</c> and <c>File.fbs</c> in the format's description.</remarks>
internal static class ArrowCheck
{
    /// <summary>Bytes that a batch may have, and may unpack to.</summary>
    public const long LargestBatch = 1 << 30;

    private const int StructSize = 16;
    private const int BlockSize = 24;

    /// <summary>What a message's metadata say.</summary>
    /// <param name="metadata">A FlatBuffer of type <c>Message</c>.</param>
    /// <returns>Its kind, the bytes of its body and, where it is of a dictionary, which one, and whether it adds to it.</returns>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static (ArrowMessageKind Kind, int BodyLength, long Dictionary, bool IsDelta) Message(ReadOnlySpan<byte> metadata)
    {
        FlatTable message = FlatTable.Root(metadata);
        var kind = (ArrowMessageKind)message.Byte(1);
        FlatTable header = Header(message);
        long length = message.Long(3);
        if (length is < 0 or > LargestBatch)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a batch has {length} bytes, of which at most {LargestBatch} are read; write it with smaller batches"));
        }
        return kind switch
        {
            ArrowMessageKind.Schema when length == 0 => (kind, 0, 0, false),
            ArrowMessageKind.DictionaryBatch => (kind, (int)length, header.Long(0), header.Byte(2) != 0),
            ArrowMessageKind.RecordBatch => (kind, (int)length, 0, false),
            _ => throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"it has a message of kind {(int)kind} with {length} bytes where a table's schema or a batch was expected")),
        };
    }

    /// <summary>Reads the schema of a message of this kind.</summary>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static ArrowSchema Schema(ReadOnlySpan<byte> metadata) => ArrowSchema.Of(Header(FlatTable.Root(metadata)));

    /// <summary>Refuses a batch whose parts are not those of its schema, do not lie in its body, or unpack to more than they may.</summary>
    /// <param name="metadata">Metadata of a message with a batch of rows or of a dictionary.</param>
    /// <param name="body">Its body.</param>
    /// <param name="schema">The schema.</param>
    /// <returns>Bytes that it unpacks to.</returns>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static long Batch(ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> body, ArrowSchema schema)
    {
        FlatTable message = FlatTable.Root(metadata);
        FlatTable batch = Header(message);
        ArrowLayout layout = schema.Columns;
        if ((ArrowMessageKind)message.Byte(1) == ArrowMessageKind.DictionaryBatch)
        {
            long id = batch.Long(0);
            if (!schema.Dictionaries.TryGetValue(id, out layout) || !batch.TryTable(1, out batch))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"it has a dictionary {id} that no column uses, or that is without values"));
            }
        }
        if (batch.Long(0) is < 0 or > GroupedRecords.MostRows)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a batch has {batch.Long(0)} rows, of which at most {GroupedRecords.MostRows} are read; write it with smaller batches"));
        }
        RequireParts(batch, layout);
        return Buffers(batch.Vector(2, StructSize), body, batch.TryTable(3, out _));
    }

    /// <summary>Refuses a file's end that does not fit the batches before it.</summary>
    /// <param name="footer">All bytes behind the last message.</param>
    /// <param name="batches">Batches of rows that were read.</param>
    /// <exception cref="InvalidDataException">It is refused; the message is a clause about the file.</exception>
    public static void Footer(ReadOnlySpan<byte> footer, long batches)
    {
        ReadOnlySpan<byte> magic = "ARROW1"u8;
        int end = magic.Length + 4;
        if (!footer.EndsWith(magic) || footer.Length < end || BitConverter.ToInt32(footer[^end..]) != footer.Length - end)
        {
            throw new InvalidDataException("it does not end like an Arrow file, or was cut short");
        }
        int named = FlatTable.Root(footer[..^end]).Vector(3, BlockSize).Length / BlockSize;
        if (named != batches)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its end names {named} batches of rows, and {batches} are in it"));
        }
    }

    private static FlatTable Header(FlatTable message) => message.TryTable(2, out FlatTable header) ? header : throw new InvalidDataException("it has a message without a header");

    private static void RequireParts(FlatTable batch, ArrowLayout layout)
    {
        ReadOnlySpan<byte> nodes = batch.Vector(1, StructSize);
        for (int place = 0; place < nodes.Length; place += StructSize)
        {
            long length = FlatTable.Integer64(nodes, place);
            if (length is < 0 or >= int.MaxValue || FlatTable.Integer64(nodes, place + 8) is long nulls && (nulls < 0 || nulls > length))
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a column has {length} values in a batch, or more nulls than values"));
            }
        }
        ReadOnlySpan<byte> views = batch.Vector(4, 8);
        long buffers = layout.Buffers;
        for (int place = 0; place < views.Length; place += 8)
        {
            long more = FlatTable.Integer64(views, place);
            buffers += more is >= 0 and <= int.MaxValue ? more : long.MinValue / 2;
        }
        if (nodes.Length / StructSize != layout.Nodes || views.Length / 8 != layout.Views || batch.Vector(2, StructSize).Length / StructSize != buffers)
        {
            throw new InvalidDataException("a batch has not the parts that the schema gives it");
        }
    }

    private static long Buffers(ReadOnlySpan<byte> buffers, ReadOnlySpan<byte> body, bool isPacked)
    {
        long unpacked = 0;
        for (int place = 0; place < buffers.Length; place += StructSize)
        {
            long offset = FlatTable.Integer64(buffers, place);
            long length = FlatTable.Integer64(buffers, place + 8);
            if (offset < 0 || length < 0 || offset > body.Length || length > body.Length - offset)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a batch of {body.Length} bytes has a buffer of {length} bytes from {offset}"));
            }

            // A packed buffer begins with its unpacked length; -1 says that it is not packed after all.
            long size = isPacked && length > 0 ? FlatTable.Integer64(body.Slice((int)offset, (int)length), 0) : length;
            unpacked += size == -1 ? length : size;
            if (size < -1 || unpacked > LargestBatch)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"a batch unpacks to more than {LargestBatch} bytes, or has a buffer of {size} bytes; write it with smaller batches"));
            }
        }
        return unpacked;
    }
}
