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
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        byte[] json = bytes[8..(8 + length)], data = bytes[(8 + length)..];
        if (random.Next(6) == 0)
        {
            ulong[] lengths = [0, 1, (ulong)length - 1, (ulong)length + 1, (ulong)bytes.Length, int.MaxValue, (ulong)long.MaxValue, ulong.MaxValue, 99_999_999];
            return [.. Length(lengths[random.Next(lengths.Length)]), .. json, .. data];
        }
        byte[] changed = random.Next(4) == 0 ? OtherType(json, random) : JsonDamage.Apply(json, random);
        return [.. Length((ulong)changed.Length), .. changed, .. data];
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
