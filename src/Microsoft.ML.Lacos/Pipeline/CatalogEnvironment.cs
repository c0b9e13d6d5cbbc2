using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>What a catalog's environment says, for assemblies that have no access to ML.NET's internals themselves.</summary>
internal static class CatalogEnvironment
{
    /// <summary>Environment of the regression trainers of an <see cref="MLContext"/>.</summary>
    public static IHostEnvironment Of(RegressionCatalog.RegressionTrainers catalog) => CatalogUtils.GetEnvironment(catalog);

    /// <summary>Folder for temporary files: the context's, or the system's.</summary>
    public static string TemporaryFolder(IHostEnvironment env) =>
        env is IHostEnvironmentInternal { TempFilePath: string folder } && folder.Length > 0 ? folder : Path.GetTempPath();

    /// <summary>The GPU asked for, and whether the CPU will do where it cannot be had.</summary>
    public static (int? GpuDeviceId, bool FallbackToCpu) Device(IHostEnvironment env) =>
        env is IHostEnvironmentInternal host ? (host.GpuDeviceId, host.FallbackToCpu) : (null, true);
}
