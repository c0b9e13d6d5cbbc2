using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Lacos.Tests.Safetensors;

/// <summary>Makes safetensors bytes from a header written by hand, right or wrong; shares no code with the library's writer.</summary>
internal static class RawSafetensors
{
    public static byte[] Build(string header, int dataLength) => Build(header, new byte[dataLength]);

    public static byte[] Build(string header, byte[] data, long? claimedLength = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, claimedLength ?? json.Length);
        json.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + json.Length);
        return bytes;
    }

    /// <summary>A file of float tensors, one after another.</summary>
    public static byte[] OfTensors(IEnumerable<(string Name, string Type, int[] Shape, byte[] Data)> tensors)
    {
        var entries = new List<string>();
        using var data = new MemoryStream();
        foreach ((string name, string type, int[] shape, byte[] bytes) in tensors)
        {
            long begin = data.Length;
            data.Write(bytes);
            entries.Add($"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{data.Length}]}}");
        }
        return Build($"{{{string.Join(',', entries)}}}", data.ToArray());
    }
}
