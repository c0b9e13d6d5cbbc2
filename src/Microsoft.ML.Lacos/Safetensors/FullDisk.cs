using System.Text.RegularExpressions;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Says of a write for which there was no room what was being written, instead of the temporary name that it had.</summary>
internal static partial class FullDisk
{
    // ENOSPC and EDQUOT on Linux, EDQUOT on macOS, ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL on Windows.
    private static readonly int[] Codes = [28, 122, 69, unchecked((int)0x80070027), unchecked((int)0x80070070)];

    /// <summary>Whether an error says that a disk, or the share of it that one may use, is full.</summary>
    public static bool IsCause(Exception error) => error is IOException && Codes.Contains(error.HResult);

    /// <summary>The error to throw in place of one that <see cref="IsCause"/>.</summary>
    /// <param name="path">What was to be written, as the user named it.</param>
    /// <param name="error">The error of the system.</param>
    public static IOException Error(string path, Exception error) => new(
        $"'{path}' cannot be written: there is no space left on the disk. What was there before stays as it was, and nothing half-written is left. Make room, or write to another disk.", error);

    /// <summary>A message of the system that names a temporary file, with the name that the finished one would have got.</summary>
    public static string Message(string message)
    {
        string named = TemporaryName().Replace(message, "$1");
        return named == message ? message : $"{named.TrimEnd('.')}. What was there before stays as it was, and nothing half-written is left. Make room, or write to another disk.";
    }

    [GeneratedRegex(@"\.([^/\\]+)\.[0-9a-f]{32}\.tmp")]
    private static partial Regex TemporaryName();
}
