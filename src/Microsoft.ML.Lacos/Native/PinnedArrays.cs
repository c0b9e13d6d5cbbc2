using System.Runtime.InteropServices;

namespace Microsoft.ML.Lacos.Native;

/// <summary>Keeps arrays at their place while native code reads them.</summary>
internal sealed unsafe class PinnedArrays : IDisposable
{
    private GCHandle[] _handles = [];
    private int _count;

    /// <summary>Address of the first element; null for an empty array.</summary>
    public float* Pin(float[] array)
    {
        if (array.Length == 0)
        {
            return null;
        }
        if (_count == _handles.Length)
        {
            Array.Resize(ref _handles, Math.Max(64, 2 * _count));
        }
        _handles[_count] = GCHandle.Alloc(array, GCHandleType.Pinned);
        return (float*)_handles[_count++].AddrOfPinnedObject();
    }

    public void Dispose()
    {
        while (_count > 0)
        {
            _handles[--_count].Free();
        }
    }
}
