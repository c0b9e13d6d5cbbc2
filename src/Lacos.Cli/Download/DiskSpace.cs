namespace Lacos.Cli.Download;

/// <summary>Room on a disk.</summary>
internal static class DiskSpace
{
    /// <summary>Free bytes where a folder lies that exists; <see langword="null"/> where that cannot be told.</summary>
    public static long? Free(string folder)
    {
        try
        {
            // On Windows a drive has a letter; elsewhere any folder tells of the file system that it is on.
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
