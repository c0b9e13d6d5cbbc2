using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Loads a shared library from memory on Linux, leaving no file behind.</summary>
internal static partial class AnonymousLibrary
{
    // The loader compares names before it opens a file, and numbers of closed files are given out again: one more slash makes every name new.
    private static int s_loads;

    private const uint CloseOnExec = 1;

    /// <summary>Loads <paramref name="image"/>; the libraries that it names must be in the process already, because it has no folder of its own.</summary>
    /// <exception cref="DllNotFoundException">The loader refused it.</exception>
    public static nint Load(string name, ReadOnlySpan<byte> image)
    {
        using SafeFileHandle? file = TryWriteToMemory(name, image);
        // The handle is the process's own, so nobody can swap the file between writing and loading.
        return file is not null && NativeLibrary.TryLoad($"/proc/self/fd{new string('/', Interlocked.Increment(ref s_loads))}{file.DangerousGetHandle()}", out nint library) ? library : LoadFromFile(name, image);
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
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lacos-");
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
