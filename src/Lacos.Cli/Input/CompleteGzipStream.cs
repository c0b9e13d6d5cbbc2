using System.IO.Compression;

namespace Lacos.Cli.Input;

/// <summary>Unpacks gzip and refuses a file that was cut short.</summary>
/// <remarks>
/// <see cref="GZipStream"/> ends silently where its input ends, so a half-copied file would pass for a smaller one. Here a small gzip member with a known content is
/// appended to the packed bytes: it comes out at the end exactly if everything before it was complete.
/// </remarks>
internal sealed class CompleteGzipStream : ForwardStream
{
    private static readonly byte[] Mark = [0x6c, 0x61, 0x63, 0x6f, 0x73, 0, 0x9d, 0x3e, 0xf1, 0x07, 0xc2, 0x58, 0x0b, 0xa4, 0x77, 0xee];
    private static readonly byte[] PackedMark = Pack(Mark);

    private readonly GZipStream _unpacked;
    private readonly byte[] _held = new byte[65536 + Mark.Length];
    private int _heldCount;
    private int _heldStart;
    private bool _ended;

    /// <summary>Wraps packed bytes.</summary>
    public CompleteGzipStream(Stream packed) => _unpacked = new GZipStream(new ThenMark(packed), CompressionMode.Decompress);

    public override int Read(Span<byte> buffer)
    {
        // The last bytes read so far may be the mark, so as many are always held back.
        while (!_ended && _heldCount - _heldStart <= Mark.Length)
        {
            Refill();
        }
        int available = Math.Min(buffer.Length, Math.Max(0, _heldCount - _heldStart - Mark.Length));
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
            if (!_held.AsSpan(0, _heldCount).EndsWith(Mark))
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

    private sealed class ThenMark(Stream packed) : ForwardStream
    {
        private int _markPosition;

        public override int Read(Span<byte> buffer)
        {
            int read = _markPosition == 0 ? packed.Read(buffer) : 0;
            if (read > 0 || buffer.IsEmpty)
            {
                return read;
            }
            read = Math.Min(buffer.Length, PackedMark.Length - _markPosition);
            PackedMark.AsSpan(_markPosition, read).CopyTo(buffer);
            _markPosition += read;
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                packed.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
