using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Terminal;

/// <summary>Standard error: what cannot be written there is lost, and the work that it tells of goes on. A training must not end because a log's disk is full, or its terminal has gone.</summary>
internal sealed class ForgivingStream(Stream target) : WriteOnlyStream
{
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            target.Write(buffer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }

    public override void Flush()
    {
        try
        {
            target.Flush();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }
}
