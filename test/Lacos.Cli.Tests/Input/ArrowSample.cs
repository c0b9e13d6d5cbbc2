using System.Text;
using Apache.Arrow;
using Apache.Arrow.Compression;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;

namespace Lacos.Cli.Tests.Input;

/// <summary>Arrow files and streams made for tests.</summary>
internal static class ArrowSample
{
    /// <summary>Rows of <see cref="Batches"/>.</summary>
    public const int Rows = 25;

    /// <summary>Text of a row, with nulls.</summary>
    public static string? Text(int row) => row % 4 == 0 ? null : $"text ä {row % 3}, longer than a view holds\n";

    /// <summary>Three batches of <c>id</c> and <c>text</c>, the second one without rows.</summary>
    public static RecordBatch[] Batches(IArrowType textType)
    {
        var schema = new Schema([new Field("id", Int32Type.Default, false), new Field("text", textType, true)], null);
        (int Start, int Count)[] parts = [(0, 10), (10, 0), (10, 15)];
        return [.. parts.Select(part =>
        {
            int[] rows = [.. Enumerable.Range(part.Start, part.Count)];
            return new RecordBatch(schema, [new Int32Array.Builder().AppendRange(rows).Build(), Texts(textType, rows)], rows.Length);
        })];
    }

    /// <summary>One batch with one column <c>text</c> made of raw buffers.</summary>
    public static byte[] Raw(int rows, byte[] offsets, byte[] data) =>
        OfColumn(new StringArray(new ArrayData(StringType.Default, rows, 0, 0, [ArrowBuffer.Empty, new ArrowBuffer(offsets), new ArrowBuffer(data)])));

    /// <summary>A stream of one batch with one column <c>text</c>.</summary>
    public static byte[] OfColumn(IArrowArray column) =>
        Write([new RecordBatch(new Schema([new Field("text", column.Data.DataType, true)], null), [column], column.Length)], isFile: false);

    /// <summary>Writes batches.</summary>
    public static byte[] Write(RecordBatch[] batches, bool isFile, CompressionCodecType? codec = null)
    {
        using var bytes = new MemoryStream();
        var options = new IpcOptions { CompressionCodec = codec, CompressionCodecFactory = new CompressionCodecFactory() };
        using ArrowStreamWriter writer = isFile
            ? new ArrowFileWriter(bytes, batches[0].Schema, leaveOpen: true, options)
            : new ArrowStreamWriter(bytes, batches[0].Schema, leaveOpen: true, options);
        writer.WriteStart();
        foreach (RecordBatch batch in batches)
        {
            writer.WriteRecordBatch(batch);
        }
        writer.WriteEnd();
        return bytes.ToArray();
    }

    private static IArrowArray Texts(IArrowType type, int[] rows)
    {
        switch (type)
        {
            case LargeStringType:
                var large = new LargeStringArray.Builder();
                _ = rows.Select(Text).Aggregate(large, (builder, text) => text is null ? (LargeStringArray.Builder)builder.AppendNull() : builder.Append(text));
                return large.Build();
            case StringViewType:
                var views = new StringViewArray.Builder();
                _ = rows.Select(Text).Aggregate(views, (builder, text) => text is null ? (StringViewArray.Builder)builder.AppendNull() : builder.Append(text));
                return views.Build();
            case DictionaryType coded:
                var indices = new Int16Array.Builder();
                foreach (int row in rows)
                {
                    _ = Text(row) is null ? indices.AppendNull() : indices.Append((short)(row % 3));
                }
                return new DictionaryArray(coded, indices.Build(), Plain([.. Enumerable.Range(0, 3).Select(row => Text(row == 0 ? 3 : row))]));
            default:
                return Plain([.. rows.Select(Text)]);
        }
    }

    private static StringArray Plain(string?[] texts) => new StringArray.Builder().AppendRange(texts!, Encoding.UTF8).Build();
}
