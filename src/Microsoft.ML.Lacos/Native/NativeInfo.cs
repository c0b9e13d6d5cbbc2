using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Native;

/// <summary>One set of native kernels.</summary>
/// <param name="Name">What <c>LACOS_FORCE_ISA</c> takes, for example <c>avx512vnni</c>.</param>
/// <param name="Description">What it does.</param>
/// <param name="Requirement">CPU features it needs, separated by blanks.</param>
/// <param name="Gemm">Name of its int8 matrix kernel; empty where it is not built.</param>
/// <param name="IsBuilt">Whether it is compiled into the library.</param>
/// <param name="IsSupported">Whether the CPU and the operating system have what it needs.</param>
/// <param name="IsDefault">Whether it is what runs when nothing is forced.</param>
/// <param name="State">Chosen, usable, or why it cannot run.</param>
/// <param name="Panels">Panels of weights that it uses in place; <see langword="null"/> where it is not built.</param>
public sealed record NativeKernel(string Name, string Description, string Requirement, string Gemm, bool IsBuilt, bool IsSupported, bool IsDefault, string State, WeightPanels? Panels);

/// <summary>What is known of the native library in this process: for diagnosis, and for <c>lacos info</c>.</summary>
public sealed record NativeInfo
{
    /// <summary>Whether the library is loaded.</summary>
    public bool IsAvailable { get; private init; }

    /// <summary>File of the library; <see langword="null"/> where it is not loaded.</summary>
    public string? Path { get; private init; }

    /// <summary>Why it is not loaded; <see langword="null"/> where it is.</summary>
    public string? UnavailableReason { get; private init; }

    /// <summary>Version of the binary interface.</summary>
    public int AbiVersion { get; private init; }

    /// <summary>Brand string of the CPU.</summary>
    public string CpuName { get; private init; } = string.Empty;

    /// <summary>Features of the CPU that a kernel can use, separated by blanks.</summary>
    public string CpuFeatures { get; private init; } = string.Empty;

    /// <summary>All kernel sets, fastest first.</summary>
    public IReadOnlyList<NativeKernel> Kernels { get; private init; } = [];

    /// <summary>Name of the kernels that a model gets: the forced ones, else the default; <see langword="null"/> where there are none.</summary>
    public string? ChosenKernel { get; private init; }

    /// <summary>Why these.</summary>
    public string ChosenReason { get; private init; } = string.Empty;

    /// <summary>Threads a model gets when none are asked for.</summary>
    public int DefaultThreadCount { get; private init; }

    /// <summary>What that number comes from.</summary>
    public string ThreadCountReason { get; private init; } = string.Empty;

    /// <inheritdoc/>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Looks at the library, loading it if that has not happened yet.</summary>
    /// <returns>What was found; never throws for a missing library.</returns>
    public static unsafe NativeInfo Get()
    {
        if (!NativeLibraryLoader.IsAvailable)
        {
            return new NativeInfo { UnavailableReason = NativeLibraryLoader.UnavailableReason, ChosenReason = "the native library is not available" };
        }
        var kernels = new List<NativeKernel>();
        for (int i = 0; i < NativeMethods.lacos_kernel_count(); i++)
        {
            NativeKernelInfo info;
            NativeMethods.Check(NativeMethods.lacos_kernel_get(i, &info));
            kernels.Add(new NativeKernel(
                NativeKernelInfo.Text(info.Name),
                NativeKernelInfo.Text(info.Description),
                NativeKernelInfo.Text(info.Requirement),
                NativeKernelInfo.Text(info.Gemm),
                info.IsBuilt != 0,
                info.IsSupported != 0,
                info.IsDefault != 0,
                NativeKernelInfo.Text(info.State),
                info.IsBuilt != 0 ? new WeightPanels(info.Panels.Columns, info.Panels.Group, info.Panels.Flip) : null));
        }
        byte* reason;
        int threads = NativeMethods.lacos_default_thread_count(&reason);
        string? forced = Environment.GetEnvironmentVariable("LACOS_FORCE_ISA");
        NativeKernel? chosen = string.IsNullOrEmpty(forced) ? kernels.Find(kernel => kernel.IsDefault) : kernels.Find(kernel => kernel.Name == forced);
        return new NativeInfo
        {
            IsAvailable = true,
            Path = NativeLibraryLoader.Path,
            AbiVersion = NativeMethods.AbiVersion,
            CpuName = NativeKernelInfo.Text(NativeMethods.lacos_cpu_name()),
            CpuFeatures = NativeKernelInfo.Text(NativeMethods.lacos_cpu_features()),
            Kernels = kernels,
            ChosenKernel = chosen?.Name,
            ChosenReason = (forced, chosen) switch
            {
                (null or "", _) => chosen?.State ?? "none can run",
                (_, null) => $"LACOS_FORCE_ISA is '{forced}', which names no native kernels",
                (_, { IsDefault: true }) => "named by LACOS_FORCE_ISA, and the default",
                _ => $"named by LACOS_FORCE_ISA; on its own: {chosen.State}",
            },
            DefaultThreadCount = threads,
            ThreadCountReason = NativeKernelInfo.Text(reason),
        };
    }
}
