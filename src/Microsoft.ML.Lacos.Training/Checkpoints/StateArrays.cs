using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>Named arrays of bytes, floats and whole numbers as a safetensors file.</summary>
internal static class StateArrays
{
    public static void Write(string path, IReadOnlyDictionary<string, Array> arrays)
    {
        var writer = new SafetensorsWriter();
        foreach ((string name, Array values) in arrays.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            switch (values)
            {
                case float[] floats:
                    writer.Add(name, SafetensorsDType.F32, floats, floats.Length);
                    break;
                case byte[] bytes:
                    writer.Add(name, SafetensorsDType.U8, bytes, bytes.Length);
                    break;
                case long[] longs:
                    writer.Add(name, SafetensorsDType.I64, longs, longs.Length);
                    break;
                default:
                    throw new ArgumentException($"'{name}' is {values.GetType().Name}; only bytes, floats and 64-bit integers are stored.", nameof(arrays));
            }
        }
        AtomicFile.Write(path, writer.WriteTo);
    }

    public static unsafe Dictionary<string, Array> Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var arrays = new Dictionary<string, Array>(StringComparer.Ordinal);
        foreach (SafetensorsEntry entry in file.Entries.Values)
        {
            if (entry.ByteLength > Array.MaxLength)
            {
                throw new InvalidDataException($"'{TextInMessage.Of(entry.Name)}' of '{path}' is {entry.Describe()}, too large for a training state. Continue from an earlier checkpoint.");
            }
            var bytes = new ReadOnlySpan<byte>(file.Pointer(entry), (int)entry.ByteLength);
            arrays[entry.Name] = entry.Type switch
            {
                SafetensorsDType.F32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
                SafetensorsDType.I64 => MemoryMarshal.Cast<byte, long>(bytes).ToArray(),
                SafetensorsDType.U8 => bytes.ToArray(),
                _ => throw new InvalidDataException($"'{TextInMessage.Of(entry.Name)}' of '{path}' is {entry.Describe()}, which no training state has. Continue from an earlier checkpoint."),
            };
        }
        return arrays;
    }
}
