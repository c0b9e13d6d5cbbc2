using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.Lacos.Native;

/// <summary>The functions of <c>lacos_native.h</c> that only training calls.</summary>
internal static unsafe partial class NativeTrainingMethods
{
    static NativeTrainingMethods() => NativeLibraryLoader.EnsureResolver();

    [LibraryImport(NativeMethods.Library)]
    public static partial int lacos_lora_create(NativeModelConfig* config, NativeMatrix* wordEmbeddings, NativeLayerNorm* wordEmbeddingsLayerNorm, NativeLayerNorm* finalLayerNorm, out NativeLoraHandle lora);

    [LibraryImport(NativeMethods.Library)]
    public static partial int lacos_lora_add_block(NativeLoraHandle lora, NativeBlock* block);

    [LibraryImport(NativeMethods.Library)]
    public static partial void lacos_lora_destroy(nint lora);

    [LibraryImport(NativeMethods.Library)]
    public static partial int lacos_lora_forward(NativeLoraHandle lora, NativeTrainingRows* rows, NativeAdapter* adapters, long activationBytes, nint* tape, float* hiddenStates, long hiddenStatesLength);

    [LibraryImport(NativeMethods.Library)]
    public static partial int lacos_lora_backward(NativeLoraHandle lora, NativeLoraTapeHandle tape, NativeAdapter* adapters, float* gradient, long gradientLength, NativeAdapterGradient* gradients);

    [LibraryImport(NativeMethods.Library)]
    public static partial void lacos_lora_tape_destroy(nint tape);

    [LibraryImport(NativeMethods.Library)]
    public static partial long lacos_lora_tape_memory(NativeLoraTapeHandle tape, int* keptBlocks);
}

// The structures of lacos_native.h, field for field.
#pragma warning disable CS0649, IDE1006

internal unsafe struct NativeAdapter
{
    public int Rank;
    public float Scale;
    public float* A;
    public float* B;
}

internal unsafe struct NativeAdapterGradient
{
    public float* A;
    public float* B;
}

internal unsafe struct NativeTrainingRows
{
    public int* TokenIds;
    public long TokenCount;
    public int* RowOffsets;
    public long RowCount;
    public long* RowKeys;
    public ulong DropoutKey;
    public uint DropoutThreshold;
}

#pragma warning restore CS0649, IDE1006

internal sealed class NativeLoraHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeLoraHandle()
        : base(ownsHandle: true)
    {
    }

    protected override bool ReleaseHandle()
    {
        NativeTrainingMethods.lacos_lora_destroy(handle);
        return true;
    }
}

internal sealed class NativeLoraTapeHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeLoraTapeHandle(nint tape)
        : base(ownsHandle: true) => SetHandle(tape);

    protected override bool ReleaseHandle()
    {
        NativeTrainingMethods.lacos_lora_tape_destroy(handle);
        return true;
    }
}
