using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Native;

/// <summary>Keeps arrays at their place while native code reads them.</summary>
internal sealed unsafe class PinnedArrays : IDisposable
{
    private readonly List<GCHandle> _handles = [];

    /// <summary>Address of the first element; null for an empty array.</summary>
    public float* Pin(float[] array)
    {
        if (array.Length == 0)
        {
            return null;
        }
        var handle = GCHandle.Alloc(array, GCHandleType.Pinned);
        _handles.Add(handle);
        return (float*)handle.AddrOfPinnedObject();
    }

    public void Dispose()
    {
        foreach (GCHandle handle in _handles)
        {
            handle.Free();
        }
        _handles.Clear();
    }
}
