using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Native;

/// <summary>Finds and loads <c>lacos_native</c>, once a process.</summary>
/// <remarks>
/// Looked for in this order: the file that the environment variable <c>LACOS_NATIVE_LIBRARY</c> names (nothing else then);
/// beside this assembly and beside the application, directly and under <c>runtimes/RID/native</c>; where the runtime looks by itself.
/// A library of another ABI version is not used. Nothing here throws: <see cref="UnavailableReason"/> says what went wrong.
/// </remarks>
internal static unsafe class NativeLibraryLoader
{
    private static readonly Lazy<Loaded> State = new(Load);
    private static int _resolverSet;

    /// <summary>Whether the native library is loaded.</summary>
    public static bool IsAvailable => State.Value.Handle != 0;

    /// <summary>File of the loaded library; <see langword="null"/> where there is none.</summary>
    public static string? Path => State.Value.Path;

    /// <summary>Why the library is not available; <see langword="null"/> where it is.</summary>
    public static string? UnavailableReason => State.Value.Reason;

    /// <summary>Runtime identifier of this process, without distribution: <c>linux-x64</c>.</summary>
    public static string RuntimeIdentifier =>
        (OperatingSystem.IsWindows() ? "win-" : OperatingSystem.IsMacOS() ? "osx-" : "linux-") + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>Lets <see cref="NativeMethods"/> find the library that was loaded here.</summary>
    public static void EnsureResolver()
    {
        if (Interlocked.Exchange(ref _resolverSet, 1) == 0)
        {
            NativeLibrary.SetDllImportResolver(typeof(NativeLibraryLoader).Assembly, Resolve);
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) => name == NativeMethods.Library ? State.Value.Handle : 0;

    private static Loaded Load()
    {
        string? named = Environment.GetEnvironmentVariable("LACOS_NATIVE_LIBRARY");
        if (!string.IsNullOrEmpty(named))
        {
            return Try(named) is { Handle: not 0 } loaded
                ? loaded
                : new(0, null, $"LACOS_NATIVE_LIBRARY names '{named}', which {(File.Exists(named) ? "cannot be loaded or has another ABI version" : "does not exist")}. Correct or unset the variable.");
        }
        string? refused = null;
        foreach (string candidate in Candidates())
        {
            Loaded loaded = Try(candidate);
            if (loaded.Handle != 0)
            {
                return loaded;
            }
            refused ??= loaded.Reason;
        }
        if (NativeLibrary.TryLoad(NativeMethods.Library, typeof(NativeLibraryLoader).Assembly, null, out nint handle))
        {
            Loaded loaded = Checked(handle, NativeMethods.Library);
            if (loaded.Handle != 0)
            {
                return loaded;
            }
            refused ??= loaded.Reason;
        }
        return new(0, null, refused ?? $"No {FileName} for {RuntimeIdentifier} beside the application. Build from source with CMake and a C++17 compiler, or set LACOS_NATIVE_LIBRARY to the file.");
    }

    private static string FileName => OperatingSystem.IsWindows() ? "lacos_native.dll" : OperatingSystem.IsMacOS() ? "liblacos_native.dylib" : "liblacos_native.so";

    private static IEnumerable<string> Candidates()
    {
        foreach (string folder in new[] { AssemblyFolder(), AppContext.BaseDirectory }.Where(folder => !string.IsNullOrEmpty(folder)).Distinct(StringComparer.Ordinal)!)
        {
            yield return System.IO.Path.Combine(folder, FileName);
            yield return System.IO.Path.Combine(folder, "runtimes", RuntimeIdentifier, "native", FileName);
        }
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "Empty in a single-file app, where the application's folder is searched instead.")]
    private static string AssemblyFolder()
    {
        string location = typeof(NativeLibraryLoader).Assembly.Location;
        return string.IsNullOrEmpty(location) ? string.Empty : System.IO.Path.GetDirectoryName(location) ?? string.Empty;
    }

    private static Loaded Try(string path)
    {
        if (!File.Exists(path))
        {
            return new(0, null, null);
        }
        try
        {
            return Checked(NativeLibrary.Load(System.IO.Path.GetFullPath(path)), path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            return new(0, null, $"'{path}' cannot be loaded: {error.Message}");
        }
    }

    private static Loaded Checked(nint handle, string path)
    {
        string? reason;
        if (NativeLibrary.TryGetExport(handle, "lacos_abi_version", out nint function))
        {
            int version = ((delegate* unmanaged<int>)function)();
            if (version == NativeMethods.AbiVersion)
            {
                return new(handle, path, null);
            }
            reason = $"'{path}' has ABI version {version}; this assembly needs {NativeMethods.AbiVersion}. Rebuild it, or remove the old file.";
        }
        else
        {
            reason = $"'{path}' is not lacos_native: it has no lacos_abi_version. Remove it.";
        }
        NativeLibrary.Free(handle);
        return new(0, null, reason);
    }

    private sealed record Loaded(nint Handle, string? Path, string? Reason);
}
