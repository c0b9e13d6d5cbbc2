using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>Passes writes on until it is cancelled, so that code without a cancellation token of its own stops at its next write.</summary>
internal sealed class CancellableStream(Stream inner, CancellationToken cancellationToken) : WriteOnlyStream
{
    public override long Length => inner.Length;

    public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        inner.Write(buffer);
    }

    public override void Flush() => inner.Flush();
}
