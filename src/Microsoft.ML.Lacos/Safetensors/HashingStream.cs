using System.Security.Cryptography;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>A stream that keeps nothing of what is written to it but a hash.</summary>
/// <remarks>
/// A <see cref="CryptoStream"/> copies every span into an array of the span's size from the shared pool, which then stays there, and files are written in spans of many megabytes.
/// </remarks>
internal sealed class HashingStream(HashAlgorithmName algorithm) : WriteOnlyStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    /// <summary>The hash of all bytes written so far.</summary>
    public byte[] CurrentHash() => _hash.GetCurrentHash();

    public override void Write(ReadOnlySpan<byte> buffer) => _hash.AppendData(buffer);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }
        base.Dispose(disposing);
    }
}
