using System.Security.Cryptography;
using System.Text;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Input;

/// <summary>A file or standard input, unpacked where it is gzip and, for its text, decoded as UTF-8 (or UTF-16 with a byte order mark).</summary>
internal sealed class InputFile : IDisposable
{
    /// <summary>The path that means standard input.</summary>
    public const string Standard = "-";

    private static readonly UTF32Encoding BigEndianUtf32 = new(bigEndian: true, byteOrderMark: true);

    private readonly InvalidUtf8Counter _invalid = new();
    private readonly NulCounter? _text;
    private readonly PositionStream _raw;
    private readonly FileStream? _binary;
    private readonly Stream? _bytes;
    private readonly IncrementalHash? _hash;

    private InputFile(string path, Stream raw, bool isFile, bool isHashed, bool isText)
    {
        Path = path;
        _hash = isHashed ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        Length = isFile && raw.CanSeek ? raw.Length : null;
        _raw = new PositionStream(raw, this);
        var buffered = new BufferedStream(_raw, 1 << 16);
        Stream packed = Peek(buffered, 2, out ReadOnlySpan<byte> mark);
        Stream unpacked = mark.SequenceEqual(GzipMark) ? new CompleteGzipStream(packed) : packed;
        if (!isText)
        {
            _bytes = unpacked;
            return;
        }
        Stream content = Peek(unpacked, 4, out ReadOnlySpan<byte> start);
        if (start.SequenceEqual(Encoding.UTF32.Preamble) || start.SequenceEqual(BigEndianUtf32.Preamble))
        {
            throw new InvalidDataException($"{DisplayName} is UTF-32, which is not read. Convert it to UTF-8 first.");
        }
        _text = new NulCounter(new StreamReader(content, _invalid.CreateEncoding(), detectEncodingFromByteOrderMarks: true, 1 << 16));
    }

    private InputFile(string path, FileStream binary, bool isHashed)
    {
        Path = path;
        _hash = isHashed ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        Length = binary.Length;
        _binary = binary;
        _raw = new PositionStream(binary, this);
    }

    private static ReadOnlySpan<byte> GzipMark => [0x1f, 0x8b];

    /// <summary>Path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>Name for messages.</summary>
    public string DisplayName => Path == Standard ? "standard input" : $"'{Path}'";

    /// <summary>Bytes on disk; <see langword="null"/> where that is not known.</summary>
    public long? Length { get; }

    /// <summary>Bytes taken from the disk so far.</summary>
    public long Position { get; internal set; }

    /// <summary>The decoded text.</summary>
    /// <exception cref="InvalidOperationException">The file was not opened for its text.</exception>
    public TextReader Text => _text ?? throw new InvalidOperationException($"{DisplayName} was not opened for its text.");

    /// <summary>The bytes, unpacked, from front to back.</summary>
    /// <exception cref="InvalidOperationException">The file was not opened for its bytes in a row.</exception>
    public Stream Bytes => _bytes ?? throw new InvalidOperationException($"{DisplayName} was not opened for its bytes in a row.");

    /// <summary>The bytes, seekable.</summary>
    /// <exception cref="InvalidOperationException">The file was not opened for its bytes in any order.</exception>
    public Stream Binary => _binary ?? throw new InvalidOperationException($"{DisplayName} was not opened for its bytes in any order.");

    /// <summary>Invalid UTF-8 sequences replaced by U+FFFD so far.</summary>
    public long InvalidSequences => _invalid.Count;

    /// <summary>NUL characters in the decoded text so far.</summary>
    public long NulCharacters => _text?.Count ?? 0;

    /// <summary>Opens a path.</summary>
    /// <param name="path">A path, or <c>-</c>.</param>
    /// <param name="standardInput">Where <c>-</c> reads from.</param>
    /// <param name="isHashed">Whether <see cref="HashToEnd"/> will be asked for.</param>
    /// <param name="isText">Whether <see cref="Text"/> is wanted; else <see cref="Bytes"/>.</param>
    /// <exception cref="ToolException">The file is not there or cannot be read.</exception>
    public static InputFile Open(string path, Stream standardInput, bool isHashed = false, bool isText = true)
    {
        return path == Standard ? new InputFile(path, standardInput, isFile: false, isHashed, isText) : Open(path, raw => new InputFile(path, raw, isFile: true, isHashed, isText));
    }

    /// <summary>Opens a file for its bytes in any order.</summary>
    /// <param name="path">A path.</param>
    /// <param name="isHashed">Whether <see cref="HashToEnd"/> will be asked for.</param>
    /// <exception cref="ToolException">The file is not there, cannot be read, or cannot be read from its end.</exception>
    public static InputFile OpenBinary(string path, bool isHashed = false)
    {
        string? kind = path == Standard ? "standard input" : FileStatus.SpecialKind(path);
        return kind is null
            ? Open(path, raw => new InputFile(path, raw, isHashed))
            : throw new UsageException($"Parquet is read from its end, which {(path == Standard ? kind : $"'{path}', {kind},")} does not allow. Write it to a file and name that.");
    }

    private static InputFile Open(string path, Func<FileStream, InputFile> open)
    {
        if (Directory.Exists(path))
        {
            throw new ToolException($"'{path}' is a folder. Name a file of texts.");
        }
        FileStream? raw = null;
        try
        {
            raw = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            return open(raw);
        }
        catch (InvalidDataException)
        {
            raw?.Dispose();
            throw;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ToolException($"There is no file '{path}'. Give the path of a file of texts, or - for standard input.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"'{path}' cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads what is left of the file, without decoding it.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>SHA-256 of all bytes as they are on disk, 64 hexadecimal digits.</returns>
    /// <exception cref="InvalidOperationException">The file was not opened for it.</exception>
    public string HashToEnd(CancellationToken cancellationToken)
    {
        IncrementalHash hash = _hash ?? throw new InvalidOperationException($"{DisplayName} was not opened to be hashed.");
        if (_binary is not null)
        {
            _binary.Position = 0;
        }
        var rest = new byte[1 << 16];
        while (_raw.Read(rest) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    public void Dispose()
    {
        _text?.Dispose();
        _bytes?.Dispose();
        _binary?.Dispose();
        _hash?.Dispose();
    }

    // Without seeking, since standard input cannot be rewound.
    private static PrefixedStream Peek(Stream stream, int count, out ReadOnlySpan<byte> start)
    {
        var bytes = new byte[count];
        int read = stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false);
        start = bytes.AsSpan(0, read);
        return new PrefixedStream(bytes.AsMemory(0, read), stream);
    }

    private sealed class PositionStream(Stream inner, InputFile owner) : ForwardStream
    {
        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            owner.Position += read;
            owner._hash?.AppendData(buffer[..read]);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }

    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : ForwardStream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override int Read(Span<byte> buffer)
        {
            if (_prefix.IsEmpty)
            {
                return rest.Read(buffer);
            }
            int read = Math.Min(buffer.Length, _prefix.Length);
            _prefix.Span[..read].CopyTo(buffer);
            _prefix = _prefix[read..];
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                rest.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
