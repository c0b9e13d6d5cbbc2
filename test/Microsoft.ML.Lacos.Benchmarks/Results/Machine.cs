using Microsoft.ML.Lacos.Native;

namespace Microsoft.ML.Lacos.Benchmarks.Results;

/// <summary>Whose numbers these are: without the processor and the instruction set they mean nothing.</summary>
internal static class Machine
{
    public static string Description { get; } = Describe();

    private static string Describe()
    {
        NativeInfo native = NativeInfo.Get();
        return $"{native.CpuName}, kernels {native.ChosenKernel} ({native.CpuFeatures})";
    }
}
