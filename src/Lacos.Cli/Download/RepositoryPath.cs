using System.Buffers;

namespace Lacos.Cli.Download;

/// <summary>Which paths of a repository are believed.</summary>
internal static class RepositoryPath
{
    private const int LongestPath = 512;
    private const int LongestName = 200;

    private static readonly SearchValues<char> Unportable = SearchValues.Create("<>:\"|?*~");
    private static readonly string[] Devices = ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"];

    /// <summary>Whether a path may stand in a listing at all: below the repository's root, and shown as it is.</summary>
    public static bool IsRelative(string path) =>
        path.Length > 0 && !path.Any(letter => char.IsControl(letter) || letter == '\\') && path.Split('/').All(name => name is not ("" or "." or ".."));

    /// <summary>Whether a path names the same file within a folder on every system.</summary>
    public static bool IsPortable(string path) => IsRelative(path) && path.Length <= LongestPath && path.Split('/').All(IsPortableName);

    private static bool IsPortableName(string name) =>
        name.Length <= LongestName && name[^1] is not ('.' or ' ') && name[0] is not ('.' or ' ')
        && name.All(letter => letter is >= ' ' and < '\x7F') && name.AsSpan().IndexOfAny(Unportable) < 0 && !IsDevice(name);

    // Windows opens a device for these names, whatever ending they have.
    private static bool IsDevice(string name)
    {
        string stem = name.Split('.')[0].TrimEnd().ToUpperInvariant();
        return Devices.Contains(stem, StringComparer.Ordinal) || (stem.Length == 4 && stem[..3] is "COM" or "LPT" && char.IsAsciiDigit(stem[3]));
    }
}
