using System.Buffers;
using Apache.Arrow.Memory;

namespace Lacos.Cli.Input.Arrow;

/// <summary>Memory of the runtime for Arrow's buffers, so that nothing can read it after it is given back.</summary>
internal sealed class ManagedAllocator : MemoryAllocator
{
    protected override IMemoryOwner<byte> AllocateInternal(int length, out int bytesAllocated)
    {
        bytesAllocated = length;
        return new Owner(new byte[length]);
    }

    private sealed class Owner(byte[] bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory => bytes;

        public void Dispose()
        {
        }
    }
}
