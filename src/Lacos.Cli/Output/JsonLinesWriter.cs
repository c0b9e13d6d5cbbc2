using Microsoft.ML.Lacos.Pipeline;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lacos.Cli.Output;

/// <summary>Writes one JSON object a line: <c>{"text": ..., "embedding": [...]}</c>, floats in the shortest form that reads back the same.</summary>
internal sealed class JsonLinesWriter : VectorWriter
{
    // Letters of every script as themselves: the output is read by programs, not put into a web page.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly PendingFile? _file;
    private readonly Stream _stream;
    private readonly int _dimension;
    private readonly VectorPrecision _precision;
    private readonly byte[] _row;
    private readonly Utf8JsonWriter _json;

    private JsonLinesWriter(PendingFile? file, Stream stream, int dimension, VectorPrecision precision)
    {
        _file = file;
        _stream = stream;
        _dimension = dimension;
        _precision = precision;
        _row = new byte[precision.ElementCount(dimension)];
        _json = new Utf8JsonWriter(stream, Options);
    }

    /// <summary>Writes to a file.</summary>
    public static JsonLinesWriter ToFile(string path, int dimension, VectorPrecision precision)
    {
        PendingFile file = PendingFile.Create(path, standard: "-o -");
        return new JsonLinesWriter(file, file.Stream, dimension, precision);
    }

    /// <summary>Writes to a stream that is already open, such as standard output.</summary>
    public static JsonLinesWriter ToStream(Stream stream, int dimension, VectorPrecision precision) => new(null, stream, dimension, precision);

    // Vectors without their texts are no lines; parts of .jsonl are joined as they are.
    public override void WriteEncoded(ReadOnlySpan<byte> rows) => _stream.Write(rows);

    public override void Complete()
    {
        _stream.Flush();
        _file?.Commit();
    }

    public override void Dispose()
    {
        _json.Reset(Stream.Null);
        _json.Dispose();
        _file?.Dispose();
    }

    protected override void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors)
    {
        for (int i = 0; i < texts.Length; i++)
        {
            _json.WriteStartObject();
            _json.WriteString("text"u8, Sound(texts[i]));
            _json.WriteStartArray("embedding"u8);
            WriteElements(vectors.Slice(i * _dimension, _dimension));
            _json.WriteEndArray();
            _json.WriteEndObject();
            _json.Flush();
            _json.Reset();
            _stream.WriteByte((byte)'\n');
        }
        _stream.Flush();
    }

    private void WriteElements(ReadOnlySpan<float> vector)
    {
        switch (_precision)
        {
            case VectorPrecision.Int8:
                Span<sbyte> codes = MemoryMarshal.Cast<byte, sbyte>(_row.AsSpan());
                VectorFormat.ToInt8(vector, codes);
                foreach (sbyte code in codes)
                {
                    _json.WriteNumberValue((int)code);
                }
                break;
            case VectorPrecision.Binary:
                VectorFormat.ToBinary(vector, _row);
                foreach (byte packed in _row)
                {
                    _json.WriteNumberValue((int)packed);
                }
                break;
            default:
                foreach (float value in vector)
                {
                    _json.WriteNumberValue(value);
                }
                break;
        }
    }

    // A lone surrogate cannot be written as UTF-8.
    private static string? Sound(string? text)
    {
        if (text is null)
        {
            return null;
        }
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            }
        }
        return text;
    }
}
