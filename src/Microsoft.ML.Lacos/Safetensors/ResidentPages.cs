using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Gives pages of a mapped file back to the system: they leave this process, stay in the system's cache, and come back when they are read again.</summary>
/// <remarks>Linux only; elsewhere nothing happens, and the system takes the pages when it needs memory.</remarks>
internal static unsafe partial class ResidentPages
{
    private const int DontNeed = 4;

    /// <summary>Lets go of the pages that lie wholly in a range.</summary>
    /// <param name="first">First byte. Hazard: of a file mapped for reading, and of nothing else, because other memory would be zeros afterwards.</param>
    /// <param name="length">Bytes.</param>
    public static void LetGo(byte* first, long length)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        nuint page = (nuint)Environment.SystemPageSize;
        nuint start = ((nuint)first + page - 1) / page * page;
        nuint end = ((nuint)first + (nuint)length) / page * page;
        if (start < end)
        {
            // A refusal leaves the pages where they are, which is correct too.
            _ = madvise(start, end - start, DontNeed);
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nuint address, nuint length, int advice);
}
