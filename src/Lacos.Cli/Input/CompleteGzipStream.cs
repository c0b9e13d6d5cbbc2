using System.IO.Compression;

namespace Lacos.Cli.Input;

/// <summary>Unpacks gzip and refuses a file that was cut short. Zero bytes behind the data are padding, as for <c>gzip</c>.</summary>
/// <remarks>
/// <see cref="GZipStream"/> ends silently where its input ends, so a half-copied file would pass for a smaller one. Here a small gzip member with a known content is
/// appended to the packed bytes: it comes out at the end exactly if everything before it was complete.
/// </remarks>
internal sealed class CompleteGzipStream : ForwardStream
{
    private static readonly byte[] Mark = [0x6c, 0x61, 0x63, 0x6f, 0x73, 0, 0x9d, 0x3e, 0xf1, 0x07, 0xc2, 0x58, 0x0b, 0xa4, 0x77, 0xee];
    private static readonly byte[] PackedMark = Pack(Mark);

    private readonly ThenMark _packed;
    private readonly GZipStream _unpacked;
    private readonly byte[] _held = new byte[65536 + Mark.Length];
    private int _markLength = Mark.Length;
    private int _heldCount;
    private int _heldStart;
    private bool _ended;

    /// <summary>Wraps packed bytes.</summary>
    public CompleteGzipStream(Stream packed)
    {
        _packed = new ThenMark(packed);
        _unpacked = new GZipStream(_packed, CompressionMode.Decompress);
    }

    public override int Read(Span<byte> buffer)
    {
        // The last bytes read so far may be the mark, so as many are always held back.
        while (!_ended && _heldCount - _heldStart <= _markLength)
        {
            Refill();
        }
        int available = Math.Min(buffer.Length, Math.Max(0, _heldCount - _heldStart - _markLength));
        _held.AsSpan(_heldStart, available).CopyTo(buffer);
        _heldStart += available;
        return available;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unpacked.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Refill()
    {
        _held.AsSpan(_heldStart, _heldCount - _heldStart).CopyTo(_held);
        _heldCount -= _heldStart;
        _heldStart = 0;
        int read;
        try
        {
            read = _unpacked.Read(_held, _heldCount, _held.Length - _heldCount);
        }
        catch (InvalidDataException error)
        {
            throw Damaged(error);
        }
        _heldCount += read;
        if (read == 0)
        {
            _ended = true;
            if (_packed.IsInPadding)
            {
                _markLength = 0;
            }
            else if (!_held.AsSpan(0, _heldCount).EndsWith(Mark))
            {
                throw Damaged(null);
            }
        }
    }

    private static InvalidDataException Damaged(Exception? inner) =>
        new("The gzip data is damaged or ends too early. Copy or download the file again; `gzip -t` checks it.", inner);

    private static byte[] Pack(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }
        return packed.ToArray();
    }

    /// <summary>The packed bytes, then the mark.</summary>
    /// <remarks>
    /// <see cref="GZipStream"/> stops, without an error, at what follows a whole member and is none. Zeros at the end come out of calls of their own: a reader who stops there has
    /// taken all before them for whole members.
    /// </remarks>
    private sealed class ThenMark(Stream packed) : ForwardStream
    {
        private readonly byte[] _chunk = new byte[1 << 16];
        private long _zeros;
        private ReadOnlyMemory<byte> _data;
        private int _zerosBehindData;
        private bool _packedEnded;
        private bool _markBegun;

        /// <summary>Whether the reader has stopped at zeros behind which there is nothing.</summary>
        public bool IsInPadding => _packedEnded && !_markBegun;

        public override int Read(Span<byte> buffer)
        {
            while (_data.IsEmpty && !_packedEnded)
            {
                Fill();
            }
            if (_zeros > 0)
            {
                int zeros = (int)Math.Min(buffer.Length, _zeros);
                buffer[..zeros].Clear();
                _zeros -= zeros;
                return zeros;
            }
            _markBegun = _packedEnded;
            int count = Math.Min(buffer.Length, _data.Length);
            _data.Span[..count].CopyTo(buffer);
            _data = _data[count..];
            if (_data.IsEmpty)
            {
                (_zeros, _zerosBehindData) = (_zerosBehindData, 0);
            }
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                packed.Dispose();
            }
            base.Dispose(disposing);
        }

        private void Fill()
        {
            int read = packed.Read(_chunk);
            int end = _chunk.AsSpan(0, read).LastIndexOfAnyExcept((byte)0) + 1;
            _packedEnded = read == 0;
            _data = _packedEnded ? PackedMark : _chunk.AsMemory(0, end);
            _zerosBehindData = end > 0 ? read - end : 0;
            _zeros += end > 0 ? 0 : read;
        }
    }
}
