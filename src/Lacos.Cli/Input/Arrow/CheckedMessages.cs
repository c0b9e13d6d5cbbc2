using System.Buffers.Binary;
using System.Globalization;

namespace Lacos.Cli.Input.Arrow;

/// <summary>Passes the messages of an Arrow file or stream on to a parser as a stream, each when it is there to its end and its metadata have been looked through.</summary>
/// <remarks>
/// A file is, after its first eight bytes, a stream with a table of contents behind it; so both are read from front to back, from a pipe too. A dictionary that comes after the rows
/// that use it, which a file may have and no known writer makes, is an error of the parser.
/// </remarks>
internal sealed class CheckedMessages(Stream source) : ForwardStream
{
    private const int Continuation = -1;
    private const int LargestMetadata = 1 << 26;
    private const int PrefixLength = 8;

    // A parser copies a dictionary for each addition to it: bytes that all additions may copy.
    private const long MostCopied = 1L << 36;

    private readonly Dictionary<long, long> _dictionaryBytes = [];
    private byte[] _message = [];
    private int _start;
    private int _end;
    private ArrowSchema? _schema;
    private bool _isFile;
    private bool _hasEnded;
    private long _batches;
    private long _copied;

    public override int Read(Span<byte> buffer)
    {
        while (_start == _end && !_hasEnded)
        {
            Next();
        }
        int count = Math.Min(buffer.Length, _end - _start);
        _message.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    private void Next()
    {
        _start = _end = 0;
        Fill(4, _schema is null ? "it is empty" : "it was cut short");
        if (_schema is null)
        {
            Begin();
        }
        int first = BinaryPrimitives.ReadInt32LittleEndian(_message);
        if (first != Continuation)
        {
            // Some writers leave out the mark behind the last message of a file.
            End(_isFile && _schema is not null ? _message[..4] : throw new InvalidDataException("it is no Arrow file or stream, or one of a version before 0.15; write it again with a newer one"));
            return;
        }
        Fill(4, "it was cut short");
        int length = BinaryPrimitives.ReadInt32LittleEndian(_message.AsSpan(4));
        if (length == 0)
        {
            End(_schema is not null ? [] : throw new InvalidDataException("it ends before its schema, so that it has no rows"));
            return;
        }
        if (length is < 0 or > LargestMetadata)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"metadata of a message are said to have {length} bytes, of which at most {LargestMetadata} are read"));
        }
        Fill(length, "it was cut short");
        Check(length);
    }

    // What a file begins with is not for the parser.
    private void Begin()
    {
        ReadOnlySpan<byte> start = _message.AsSpan(0, 4);
        if (start.SequenceEqual("FEA1"u8))
        {
            throw new InvalidDataException("it is Feather of version 1; write it as version 2, which is an Arrow file");
        }
        if (start.SequenceEqual("ARRO"u8))
        {
            Fill(4, "it was cut short");
            _isFile = _message.AsSpan(4, 2).SequenceEqual("W1"u8);
            _end = 0;
            Fill(4, "it was cut short");
        }
    }

    private void Check(int length)
    {
        (ArrowMessageKind kind, int bodyLength, long dictionary, bool isDelta) = ArrowCheck.Message(Metadata(length));
        if ((kind == ArrowMessageKind.Schema) != (_schema is null))
        {
            throw new InvalidDataException(_schema is null
                ? "its batches come before its schema, as in files of Arrow's writer in JavaScript; write a stream there, with tableToIPC(table, 'stream'), whatever its name ends in"
                : "it has a second schema");
        }
        if (kind == ArrowMessageKind.Schema)
        {
            _schema = ArrowCheck.Schema(Metadata(length));
            return;
        }
        Fill(bodyLength, "it was cut short");
        long unpacked = ArrowCheck.Batch(Metadata(length), _message.AsSpan(PrefixLength + length, bodyLength), _schema!);
        if (kind == ArrowMessageKind.RecordBatch)
        {
            _batches++;
            return;
        }
        long held = unpacked + (isDelta ? _dictionaryBytes.GetValueOrDefault(dictionary) : 0);
        _dictionaryBytes[dictionary] = held;
        _copied += isDelta ? held : 0;
        if (_copied > MostCopied || _dictionaryBytes.Values.Sum() > ArrowCheck.LargestBatch)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"its dictionaries have more than {ArrowCheck.LargestBatch} bytes, or come in too many pieces; write its texts without dictionaries"));
        }
    }

    private Span<byte> Metadata(int length) => _message.AsSpan(PrefixLength, length);

    // To the last byte: what stands behind the end would be lost without a word.
    private void End(byte[] footer)
    {
        _hasEnded = true;
        _end = 0;
        if (!_isFile)
        {
            if (source.ReadByte() >= 0)
            {
                throw new InvalidDataException("there are bytes behind its end, as where streams were put one after the other; give each by itself");
            }
            return;
        }
        footer.CopyTo(_message, 0);
        _end = footer.Length;
        while (Append(1 << 16) > 0)
        {
            if (_end > LargestMetadata)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its table of contents has more than {LargestMetadata} bytes"));
            }
        }
        ArrowCheck.Footer(_message.AsSpan(0, _end), _batches);
        _end = 0;
    }

    // Memory grows with what is there, whatever a length says.
    private void Fill(int count, string ended)
    {
        int end = checked(_end + count);
        while (_end < end)
        {
            if (Append(Math.Min(end - _end, 1 << 20)) == 0)
            {
                throw new InvalidDataException(ended);
            }
        }
    }

    private int Append(int count)
    {
        if (_message.Length < _end + count)
        {
            Array.Resize(ref _message, (int)Math.Max(_end + (long)count, Math.Min(2L * _message.Length, Array.MaxLength)));
        }
        int read = source.Read(_message, _end, count);
        _end += read;
        return read;
    }
}
