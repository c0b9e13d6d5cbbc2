using Lacos.Cli.Terminal;

namespace Lacos.Cli.Input;

/// <summary>A file or standard input, unpacked where it is gzip and decoded as UTF-8 (or UTF-16 with a byte order mark).</summary>
internal sealed class InputFile : IDisposable
{
    /// <summary>The path that means standard input.</summary>
    public const string Standard = "-";

    private readonly InvalidUtf8Counter _invalid = new();

    private InputFile(string path, Stream raw, bool isFile)
    {
        Path = path;
        Length = isFile && raw.CanSeek ? raw.Length : null;
        var counted = new PositionStream(raw, this);
        var buffered = new BufferedStream(counted, 1 << 16);
        Stream content = StartsWithGzipMark(buffered, out Stream whole) ? new CompleteGzipStream(whole) : whole;
        Text = new StreamReader(content, _invalid.CreateEncoding(), detectEncodingFromByteOrderMarks: true, 1 << 16);
    }

    /// <summary>Path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>Name for messages.</summary>
    public string DisplayName => Path == Standard ? "standard input" : $"'{Path}'";

    /// <summary>Bytes on disk; <see langword="null"/> where that is not known.</summary>
    public long? Length { get; }

    /// <summary>Bytes taken from the disk so far.</summary>
    public long Position { get; private set; }

    /// <summary>The decoded text.</summary>
    public TextReader Text { get; }

    /// <summary>Invalid UTF-8 sequences replaced by U+FFFD so far.</summary>
    public long InvalidSequences => _invalid.Count;

    /// <summary>Opens a path.</summary>
    /// <param name="path">A path, or <c>-</c>.</param>
    /// <param name="standardInput">Where <c>-</c> reads from.</param>
    /// <exception cref="ToolException">The file is not there or cannot be read.</exception>
    public static InputFile Open(string path, Stream standardInput)
    {
        if (path == Standard)
        {
            return new InputFile(path, standardInput, isFile: false);
        }
        if (Directory.Exists(path))
        {
            throw new ToolException($"'{path}' is a folder. Name a file of texts.");
        }
        try
        {
            return new InputFile(path, new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan), isFile: true);
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

    public void Dispose() => Text.Dispose();

    // Peeks at two bytes without seeking, since standard input cannot be rewound.
    private static bool StartsWithGzipMark(Stream stream, out Stream whole)
    {
        var start = new byte[2];
        int count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        whole = new PrefixedStream(start.AsMemory(0, count), stream);
        return count == 2 && start[0] == 0x1f && start[1] == 0x8b;
    }

    private sealed class PositionStream(Stream inner, InputFile owner) : ForwardStream
    {
        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            owner.Position += read;
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
