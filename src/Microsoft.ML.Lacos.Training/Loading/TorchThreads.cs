using System.Text;
using Microsoft.ML.Lacos.Native;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>Lets the native kernels run on the threads that torch has already.</summary>
/// <remarks>
/// torch's operations run on an OpenMP runtime whose threads spin for a moment while they wait; a second set of threads would fight them for the cores. On Linux the runtime that torch
/// loaded is found among the mapped files of the process. Elsewhere, or where there is none, the kernels keep their own threads: slower, with the same results.
/// </remarks>
internal static unsafe class TorchThreads
{
    private static readonly Lazy<string?> Shared = new(Find);

    /// <summary>The OpenMP library that is shared; null where there is none.</summary>
    public static string? Library => Shared.Value;

    /// <summary>Shares the runtime, once a process. To be called when torch and the native library are loaded.</summary>
    public static void Share() => _ = Shared.Value;

    /// <summary>Holds torch to the threads that <c>LACOS_NUM_THREADS</c> or the container's CPU quota allow, neither of which it knows; never raises their number.</summary>
    public static void Limit()
    {
        int most = EncoderThreads.Resolve(0);
        if (torch.get_num_threads() > most)
        {
            torch.set_num_threads(most);
        }
    }

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibraryLoader.IsAvailable)
        {
            return null;
        }
        TorchSharpLoader.EnsureLoadable();
        string[] loaded = [.. File.ReadLines("/proc/self/maps").Where(line => line.Contains('/', StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).Distinct(StringComparer.Ordinal)];
        string? torchFolder = Path.GetDirectoryName(loaded.FirstOrDefault(file => Path.GetFileName(file).StartsWith("libtorch_cpu", StringComparison.Ordinal)));
        // Another library of the process may have loaded another runtime: torch's own lies beside it.
        foreach (string file in loaded.Where(IsRuntime).OrderByDescending(file => Path.GetDirectoryName(file) == torchFolder))
        {
            fixed (byte* path = Encoding.UTF8.GetBytes(file + '\0'))
            {
                if (NativeMethods.lacos_use_openmp(path) == 0)
                {
                    return file;
                }
            }
        }
        return null;
    }

    private static bool IsRuntime(string file)
    {
        string name = Path.GetFileName(file);
        return name.StartsWith("libgomp", StringComparison.Ordinal) || name.StartsWith("libiomp", StringComparison.Ordinal) || name.StartsWith("libomp", StringComparison.Ordinal);
    }
}
