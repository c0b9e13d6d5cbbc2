using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.Lacos.Tests.Damage;

/// <summary>A file's bytes with one thing changed.</summary>
internal static class ByteDamage
{
    /// <summary>Flips, cuts, empties, lengthens or fills, decided by the random numbers.</summary>
    public static byte[] Apply(byte[] bytes, Random random)
    {
        byte[] changed = [.. bytes];
        switch (bytes.Length == 0 ? 5 : random.Next(12))
        {
            case 0:
                return [];
            case 1:
                return changed[..random.Next(changed.Length)];
            case 2:
                return [.. changed, .. changed.AsSpan(0, random.Next(changed.Length))];
            case 3:
                random.NextBytes(changed);
                return changed;
            case 4:
                int start = random.Next(changed.Length);
                changed.AsSpan(start, random.Next(changed.Length - start + 1)).Fill((byte)(random.Next(2) * 255));
                return changed;
            case 5:
                return [.. changed, .. "\n{}"u8];
            default:
                for (int flips = random.Next(1, 5); flips > 0; flips--)
                {
                    changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                }
                return changed;
        }
    }

    /// <summary>Changes the header of a safetensors file, or the number of its length.</summary>
    public static byte[] ApplyToHeader(byte[] bytes, Random random)
    {
        if (random.Next(6) == 0)
        {
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            ulong[] lengths = [0, 1, length - 1, length + 1, (ulong)bytes.Length, int.MaxValue, (ulong)long.MaxValue, ulong.MaxValue, 99_999_999];
            return [.. Length(lengths[random.Next(lengths.Length)]), .. bytes.AsSpan(8)];
        }
        return WithHeader(bytes, json => random.Next(4) == 0 ? OtherType(json, random) : JsonDamage.Apply(json, random));
    }

    /// <summary>Gives a safetensors file another header, with its length.</summary>
    public static byte[] WithHeader(byte[] bytes, Func<byte[], byte[]> change)
    {
        int end = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        byte[] changed = change(bytes[8..end]);
        return [.. Length((ulong)changed.Length), .. changed, .. bytes.AsSpan(end)];
    }

    private static byte[] OtherType(byte[] json, Random random)
    {
        string[] types = ["F32", "I32", "U8", "F16", "I64", "F64", "BOOL", "F4"];
        string text = Encoding.UTF8.GetString(json), old = types.First(type => text.Contains($"\"{type}\"", StringComparison.Ordinal));
        return Encoding.UTF8.GetBytes(text.Replace($"\"{old}\"", $"\"{types[random.Next(types.Length)]}\"", StringComparison.Ordinal));
    }

    private static byte[] Length(ulong length)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        return bytes;
    }
}
