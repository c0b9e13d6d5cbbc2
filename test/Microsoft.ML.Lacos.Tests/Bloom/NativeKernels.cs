using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Tests.Bloom;

/// <summary>The native kernels that can run here; tests that need them are inconclusive where the library was not built.</summary>
internal static class NativeKernels
{
    public static void Require()
    {
        if (!NativeLibraryLoader.IsAvailable)
        {
            Assert.Inconclusive($"Not run: {NativeLibraryLoader.UnavailableReason}");
        }
    }

    /// <summary>Names; one placeholder where there are none, so that the tests are seen to be inconclusive.</summary>
    public static string[] Usable()
    {
        string[] names = [.. NativeInfo.Get().Kernels.Where(kernel => kernel.IsBuilt && kernel.IsSupported).Select(kernel => kernel.Name)];
        return names.Length > 0 ? names : ["none"];
    }
}
