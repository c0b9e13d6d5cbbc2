using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Terminal;

/// <summary>Standard output, where it is an error that nobody reads any more: the tool ends at its next write, and does not work on for nobody.</summary>
/// <remarks>Hazard: .NET takes what is written into a pipe without a reader for written. So the system is asked before each write; on Windows it is not, and the work goes on to its end.</remarks>
internal sealed partial class StandardOutput(Stream target) : WriteOnlyStream
{
    /// <summary>EPIPE of Linux and macOS.</summary>
    public const int BrokenPipe = 32;

    private const int Descriptor = 1;
    private const short Writable = 4;

    // POLLERR, as Linux says it, or POLLHUP, as macOS does.
    private const short Gone = 0x8 | 0x10;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (HasNoReader())
        {
            throw new IOException("Nobody reads standard output any more.", BrokenPipe);
        }
        try
        {
            target.Write(buffer);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Standard output cannot be written to: {error.Message}", error.HResult);
        }
    }

    public override void Flush() => target.Flush();

    private static bool HasNoReader()
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }
        try
        {
            var state = new State { Descriptor = Descriptor, Asked = Writable };
            return Poll(ref state, 1, 0) > 0 && (state.Found & Gone) != 0;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // A system whose C library has another name.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref State states, nuint count, int milliseconds);

    /// <summary>C's <c>struct pollfd</c>.</summary>
    private struct State
    {
        public int Descriptor;
        public short Asked;
        public short Found;
    }
}
