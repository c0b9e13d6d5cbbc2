using System.Security.Cryptography;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>A stream that keeps nothing of what is written to it but a hash.</summary>
/// <remarks>
/// A <see cref="CryptoStream"/> copies every span into an array of the span's size from the shared pool, which then stays there, and files are written in spans of many megabytes.
/// </remarks>
internal sealed class HashingStream(HashAlgorithmName algorithm) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The hash of all bytes written so far.</summary>
    public byte[] CurrentHash() => _hash.GetCurrentHash();

    public override void Write(ReadOnlySpan<byte> buffer) => _hash.AppendData(buffer);

    public override void Write(byte[] buffer, int offset, int count) => _hash.AppendData(buffer, offset, count);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }
        base.Dispose(disposing);
    }
}
