using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Makes TorchSharp's native library load on Linux systems whose C++ library is older than the one it was built with.</summary>
/// <remarks>
/// <para>TorchSharp 0.107.0 asks for the symbol version <c>GLIBCXX_3.4.32</c>, of GCC 13; Debian 12 and Ubuntu 22.04 have 3.4.30. Nothing in the library is bound to a
/// symbol of that version, so it runs without it. Where the loader has refused the library for this reason, and only then, a copy of it in memory whose entry
/// for that version is marked as optional (<c>VER_FLG_WEAK</c>) is loaded instead. No file is changed or left behind.</para>
/// <para>Every type of this assembly sets this up when it is first used. Only a program that uses TorchSharp before anything of this assembly needs to call
/// <see cref="EnsureLoadable"/> itself, before its first use of <c>torch</c>.</para>
/// </remarks>
public static class TorchSharpLoader
{
    private const string LibraryName = "LibTorchSharp";
    private const string TorchLibrary = "libtorch.so";
    private const string CppLibrary = "libstdc++.so.6";

    // What TorchSharp 0.107.0 is built for.
    private const string LibtorchVersion = "2.10.0";

    private static readonly object Gate = new();
    private static nint s_library;
    private static string? s_reason;

    /// <summary>Checks that TorchSharp's native parts can be loaded, and loads them.</summary>
    /// <exception cref="DllNotFoundException">They cannot; the message says why and what to do.</exception>
    public static void EnsureLoadable()
    {
        Assembly assembly = typeof(torch).Assembly;
        if (!NativeLibrary.TryLoad(LibraryName, assembly, null, out _))
        {
            throw new DllNotFoundException(
                $"TorchSharp {assembly.GetName().Version} could not load its native library on {RuntimeInformation.RuntimeIdentifier}: {s_reason ?? "it or the libtorch it needs was not found"}. {Advice(TorchPackage.Rid())}");
        }
    }

    // Handlers run only after the ordinary search has failed, so systems that need no help never get here.
#pragma warning disable CA2255 // Nothing is loaded here; a handler that comes after the first use of torch would come too late.
    [ModuleInitializer]
    internal static void Install()
    {
        OpenMpWaiting.Shorten();
        ConsoleControl.Keep();
        Assembly assembly = typeof(torch).Assembly;
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            (AssemblyLoadContext.GetLoadContext(assembly) ?? AssemblyLoadContext.Default).ResolvingUnmanagedDll += Resolve;
        }
    }
#pragma warning restore CA2255

    internal static string Advice(string? rid) => rid is not null
        ? $"Reference the package libtorch-cpu-{rid} (or a libtorch-cuda package), version {LibtorchVersion}, in the application's project."
        : "It has one for Linux and Windows on x64 and for macOS and Windows on Arm64 only: train on one of them. What was trained is used anywhere, without libtorch.";

    private static nint Resolve(Assembly assembly, string name)
    {
        if (name != LibraryName || assembly != typeof(torch).Assembly)
        {
            return 0;
        }
        lock (Gate)
        {
            if (s_library == 0)
            {
                try
                {
                    s_library = LoadAdapted();
                }
                catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException or DllNotFoundException or BadImageFormatException)
                {
                    s_reason = error.Message;
                }
            }
            return s_library;
        }
    }

    private static nint LoadAdapted()
    {
        string fileName = $"lib{LibraryName}.so";
        string path = Find(fileName) ?? throw new FileNotFoundException($"'{fileName}' is in none of the application's native folders");
        // Not in the application: the system's search may know one, by LD_LIBRARY_PATH for example.
        string torchPath = Find(TorchLibrary) ?? TorchLibrary;
        var image = new ElfImage(File.ReadAllBytes(path));
        NativeLibrary.Load(CppLibrary);
        string cppPath = MappedPath(CppLibrary) ?? throw new FileNotFoundException($"the system's '{CppLibrary}' was not found among the process's mapped files");
        HashSet<string> present = SymbolVersions.Defined(new ElfImage(File.ReadAllBytes(cppPath)));
        List<VersionNeed> missing = [.. SymbolVersions.Needed(image).Where(need => need.File == CppLibrary && !present.Contains(need.Version))];
        foreach (VersionNeed need in missing)
        {
            if (SymbolVersions.IsBound(image, need))
            {
                throw new DllNotFoundException($"'{path}' uses symbols of {need.Version}, which '{cppPath}' lacks; a newer system (GCC 13's C++ library) is needed");
            }
            SymbolVersions.Weaken(image, need);
        }
        // First the libraries it names: the copy has no folder in which the loader could look for them.
        NativeLibrary.Load(torchPath);
        return missing.Count > 0 ? AnonymousLibrary.Load(fileName, image.Bytes) : NativeLibrary.Load(path);
    }

    private static string? Find(string fileName)
    {
        string folders = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? string.Empty;
        return folders.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"))
            .Select(folder => Path.Combine(folder, fileName))
            .FirstOrDefault(File.Exists);
    }

    private static string? MappedPath(string fileName)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            // Address, permissions, offset, device, inode, path.
            int start = line.IndexOf('/');
            if (start >= 0 && Path.GetFileName(line.AsSpan(start)).StartsWith(fileName, StringComparison.Ordinal))
            {
                return line[start..];
            }
        }
        return null;
    }
}
