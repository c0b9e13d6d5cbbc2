using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Training.Loading;

/// <summary>The systems for which there are native libraries: TorchSharp's own, and a package of libtorch.</summary>
internal static class TorchPackage
{
    /// <summary>What the names of the packages for this system end in; <see langword="null"/> where there are none.</summary>
    public static string? Rid() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 when OperatingSystem.IsWindows() => "win-x64",
        Architecture.X64 when OperatingSystem.IsLinux() => "linux-x64",
        Architecture.Arm64 when OperatingSystem.IsWindows() => "win-arm64",
        Architecture.Arm64 when OperatingSystem.IsMacOS() => "osx-arm64",
        _ => null,
    };
}
