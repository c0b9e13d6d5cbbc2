using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Loads a shared library from memory on Linux, leaving no file behind.</summary>
internal static partial class AnonymousLibrary
{
    private const uint CloseOnExec = 1;
    private static readonly ConcurrentBag<SafeFileHandle> KeptOpen = [];

    /// <summary>Loads <paramref name="image"/>; the libraries that it names must be in the process already, because it has no folder of its own.</summary>
    /// <exception cref="DllNotFoundException">The loader refused it.</exception>
    public static nint Load(string name, ReadOnlySpan<byte> image)
    {
        SafeFileHandle? file = TryWriteToMemory(name, image);
        // The handle is the process's own, so nobody can swap the file between writing and loading.
        if (file is not null && NativeLibrary.TryLoad($"/proc/self/fd/{file.DangerousGetHandle()}", out nint library))
        {
            // The loader knows a library by its path: were the handle closed, the next file under its number would pass for this library.
            KeptOpen.Add(file);
            return library;
        }
        file?.Dispose();
        return LoadFromFile(name, image);
    }

    private static SafeFileHandle? TryWriteToMemory(string name, ReadOnlySpan<byte> image)
    {
        SafeFileHandle file;
        try
        {
            file = new SafeFileHandle(MemoryFileCreate(name, CloseOnExec), ownsHandle: true);
        }
        catch (EntryPointNotFoundException)
        {
            return null; // a C library before glibc 2.27
        }
        if (file.IsInvalid)
        {
            file.Dispose();
            return null;
        }
        RandomAccess.Write(file, image, 0);
        return file;
    }

    // For kernels that forbid executable memory files. The folder is new and only its owner can enter it; a mapped file can be deleted.
    internal static nint LoadFromFile(string name, ReadOnlySpan<byte> image)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lacos-library-");
        try
        {
            string path = Path.Combine(folder.FullName, name);
            using (SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, image, 0);
            }
            return NativeLibrary.Load(path);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint MemoryFileCreate(string name, uint flags);
}
