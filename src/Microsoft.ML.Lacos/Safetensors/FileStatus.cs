using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>What the file system knows of a path before it is opened: opening a pipe waits for whoever writes into it, and a device need not end.</summary>
/// <remarks>Linux only, by statx, whose record is laid out alike on every architecture; elsewhere nothing is known and everything passes for a file.</remarks>
internal static unsafe partial class FileStatus
{
    private const int CurrentFolder = -100;
    private const uint TypeAndInode = 0x101;
    private const int RecordLength = 256;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int DeviceOffset = 136;

    /// <summary>What is at a path, links followed, where that is neither file nor folder; <see langword="null"/> otherwise.</summary>
    public static string? SpecialKind(string path)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        const int typeBits = 0xF000;
        return !Read(path, record) ? null : (MemoryMarshal.Read<ushort>(record[ModeOffset..]) & typeBits) switch
        {
            0x1000 => "a pipe",
            0x2000 or 0x6000 => "a device",
            0xC000 => "a socket",
            _ => null,
        };
    }

    /// <summary>Refuses to open for reading what is no file.</summary>
    /// <exception cref="InvalidDataException">There is a pipe, a device or a socket.</exception>
    public static void RequireFile(string path)
    {
        if (SpecialKind(path) is { } kind)
        {
            throw new InvalidDataException($"'{path}' is {kind}, and the parts of a model are read from files only. Write its content to a file and name that.");
        }
    }

    /// <summary>Device and inode of what is at a path, links followed; <see langword="null"/> where they are not known.</summary>
    public static (ulong Device, ulong Inode)? Identity(string path)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        return Read(path, record) ? (MemoryMarshal.Read<ulong>(record[DeviceOffset..]), MemoryMarshal.Read<ulong>(record[InodeOffset..])) : null;
    }

    private static bool Read(string path, Span<byte> record)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }
        try
        {
            fixed (byte* first = record)
            {
                return statx(CurrentFolder, Path.GetFullPath(path), 0, TypeAndInode, first) == 0;
            }
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            // An old C library, or one of another name.
            return false;
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, byte* record);
}
