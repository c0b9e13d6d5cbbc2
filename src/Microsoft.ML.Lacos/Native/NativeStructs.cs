using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Native;

// The structures of lacos_native.h, field for field.
#pragma warning disable CS0649, IDE1006

internal unsafe struct NativeMatrix
{
    public int Scheme;
    public int Rows;
    public int Columns;
    public int BlockSize;
    public void* Data;
    public float* Scales;
    public long ScaleCount;
    public float* CodeBook;
    public NativePanels Panels;
}

internal struct NativePanels
{
    public int Columns;
    public int Group;
    public int Flip;
}

internal unsafe struct NativeLinear
{
    public NativeMatrix Weight;
    public float* Bias;
}

internal unsafe struct NativeLayerNorm
{
    public float* Weight;
    public float* Bias;
}

internal struct NativeBlock
{
    public NativeLayerNorm InputLayerNorm;
    public NativeLinear QueryKeyValue;
    public NativeLinear Dense;
    public NativeLayerNorm PostAttentionLayerNorm;
    public NativeLinear DenseHTo4H;
    public NativeLinear Dense4HToH;
}

internal unsafe struct NativeModelConfig
{
    public int StructSize;
    public int HiddenSize;
    public int LayerCount;
    public int HeadCount;
    public int VocabularySize;
    public int ResidualPostLayerNorm;
    public float LayerNormEpsilon;
    public int Compute;
    public float OutlierThreshold;
    public int ThreadCount;
    public byte* Isa;
}

internal unsafe struct NativeKernelInfo
{
    public byte* Name;
    public byte* Description;
    public byte* Requirement;
    public byte* Gemm;
    public int IsBuilt;
    public int IsSupported;
    public int IsDefault;
    public byte* State;
    public NativePanels Panels;

    public static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? string.Empty;
}
