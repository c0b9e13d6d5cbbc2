using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Lacos.Native;

/// <summary>The functions of <c>lacos_native.h</c>.</summary>
/// <remarks>Call only after <see cref="NativeLibraryLoader.IsAvailable"/>: the loader decides which file is behind the name.</remarks>
internal static unsafe partial class NativeMethods
{
    public const string Library = "lacos_native";
    public const int AbiVersion = 4;

    static NativeMethods() => NativeLibraryLoader.EnsureResolver();

    [LibraryImport(Library)]
    public static partial byte* lacos_last_error();

    [LibraryImport(Library)]
    public static partial int lacos_model_create(NativeModelConfig* config, NativeMatrix* wordEmbeddings, NativeLayerNorm* wordEmbeddingsLayerNorm, NativeBlock* blocks, NativeLayerNorm* finalLayerNorm, out NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial void lacos_model_destroy(nint model);

    [LibraryImport(Library)]
    public static partial byte* lacos_model_isa(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial int lacos_model_thread_count(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial long lacos_model_memory(NativeModelHandle model);

    [LibraryImport(Library)]
    public static partial int lacos_prompt_create(NativeModelHandle model, int* tokenIds, long tokenCount, out NativePromptHandle prompt);

    [LibraryImport(Library)]
    public static partial void lacos_prompt_destroy(nint prompt);

    [LibraryImport(Library)]
    public static partial long lacos_prompt_memory(NativePromptHandle prompt);

    [LibraryImport(Library)]
    public static partial int lacos_encode(NativeModelHandle model, NativePromptHandle prompt, int* tokenIds, long tokenCount, int* rowOffsets, long rowCount, int* poolFrom, int pooling, int dimension, int normalize, float* vectors, long vectorLength);

    [LibraryImport(Library)]
    public static partial int lacos_encode_tokens(NativeModelHandle model, int* tokenIds, long tokenCount, int* rowOffsets, long rowCount, float* hiddenStates, long hiddenStatesLength);

    [LibraryImport(Library)]
    public static partial int lacos_int8_linear_create(int rows, int columns, sbyte* codes, float* absmax, int threadCount, byte* isa, out NativeInt8LinearHandle linear);

    [LibraryImport(Library)]
    public static partial void lacos_int8_linear_destroy(nint linear);

    [LibraryImport(Library)]
    public static partial int lacos_int8_linear_forward(NativeInt8LinearHandle linear, float* input, long m, float outlierThreshold, float* bias, int activation, float* residual, float* output);

    [LibraryImport(Library)]
    public static partial int lacos_int8_linear_backward(NativeInt8LinearHandle linear, float* gradient, long m, int mode, float* dx);

    [LibraryImport(Library)]
    public static partial int lacos_use_openmp(byte* library);

    [LibraryImport(Library)]
    public static partial int lacos_kernel_count();

    [LibraryImport(Library)]
    public static partial int lacos_kernel_get(int index, NativeKernelInfo* info);

    [LibraryImport(Library)]
    public static partial byte* lacos_cpu_name();

    [LibraryImport(Library)]
    public static partial byte* lacos_cpu_features();

    [LibraryImport(Library)]
    public static partial int lacos_default_thread_count(byte** reason);

    [LibraryImport(Library)]
    public static partial int lacos_measure_int8_peak(byte* isa, int threadCount, double seconds, double* operations);

    /// <summary>Turns a status into an exception with the library's message.</summary>
    /// <exception cref="ArgumentException">An argument was refused.</exception>
    /// <exception cref="InsufficientMemoryException">No memory was left.</exception>
    /// <exception cref="PlatformNotSupportedException">The kernels asked for cannot run here.</exception>
    /// <exception cref="InvalidOperationException">Anything else.</exception>
    public static void Check(int status)
    {
        if (status == 0)
        {
            return;
        }
        string message = NativeKernelInfo.Text(lacos_last_error());
        throw status switch
        {
            1 => new ArgumentException(message),
            2 => new InsufficientMemoryException(message),
            3 => new PlatformNotSupportedException(message),
            _ => new InvalidOperationException(message),
        };
    }
}

internal sealed class NativeModelHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeModelHandle()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.lacos_model_destroy(handle);
        return true;
    }
}

internal sealed class NativePromptHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>No prompt.</summary>
    public static readonly NativePromptHandle None = new();

    private long _pressure;

    public NativePromptHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>Tells the garbage collector how much a new prompt holds, so that those that nobody disposes are collected before there are many.</summary>
    public void Weigh()
    {
        long bytes = NativeMethods.lacos_prompt_memory(this);
        if (bytes > 0)
        {
            GC.AddMemoryPressure(bytes);
            _pressure = bytes;
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.lacos_prompt_destroy(handle);
        if (_pressure > 0)
        {
            GC.RemoveMemoryPressure(_pressure);
        }
        return true;
    }
}

internal sealed class NativeInt8LinearHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeInt8LinearHandle()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.lacos_int8_linear_destroy(handle);
        return true;
    }
}
