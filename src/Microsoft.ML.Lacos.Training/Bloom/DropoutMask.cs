using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Bloom;

/// <summary>Decides which inputs of an adapter one step of training drops.</summary>
/// <param name="Seed">Of the run.</param>
/// <param name="Step">Number of the step.</param>
internal readonly record struct DropoutKey(long Seed, long Step);

/// <summary>Dropout that is a function of what is dropped, not of a random generator's past.</summary>
/// <remarks>
/// Whether element (token, feature) is kept depends on the run's seed, the step, the layer, the row's own key, the token's position and the feature alone. So a row
/// is treated the same in any batch, chunk or process, a second forward pass repeats the first, and a resumed run goes on as if it had never stopped.
/// The 32-bit mixing function is C. Wellons' lowbias32 (github.com/skeeto/hash-prospector), the 64-bit one SplitMix64 (Steele, Lea and Flood 2014).
/// </remarks>
internal static class DropoutMask
{
    /// <summary>Makes a mask.</summary>
    /// <param name="key">Run and step.</param>
    /// <param name="layer">Number of the adapter, from 0.</param>
    /// <param name="rows">The batch.</param>
    /// <param name="width">Features of a token.</param>
    /// <param name="rate">Share to drop, from 0 to below 1.</param>
    /// <returns>Booleans [tokens, width] on the CPU, true where kept.</returns>
    public static torch.Tensor Create(DropoutKey key, int layer, TokenRows rows, int width, double rate)
    {
        torch.Tensor mask = torch.empty(rows.Ids.Length, width, dtype: torch.ScalarType.Bool);
        Span<byte> kept = mask.bytes;
        var features = new uint[width];
        for (int feature = 0; feature < width; feature++)
        {
            features[feature] = Mix((uint)feature * 0x9E3779B9u);
        }
        uint threshold = Threshold(rate);
        ulong runAndStep = Mixed(key);
        for (int row = 0; row < rows.Count; row++)
        {
            ulong rowKey = Mix64(Mix64(runAndStep ^ (uint)layer) ^ (ulong)rows.RowKeys[row]);
            for (int position = 0; position < rows.Length(row); position++)
            {
                uint token = (uint)(Mix64(rowKey ^ (uint)position) >> 32);
                Fill(kept.Slice((rows.Offsets[row] + position) * width, width), features, token, threshold);
            }
        }
        return mask;
    }

    /// <summary>Run and step in one number: what the native library, which makes the same masks, is given.</summary>
    public static ulong Mixed(DropoutKey key) => Mix64(Mix64((ulong)key.Seed) ^ (ulong)key.Step);

    /// <summary>Mixed numbers below this are dropped.</summary>
    public static uint Threshold(double rate) => (uint)(rate * 4294967296.0);

    private static void Fill(Span<byte> kept, ReadOnlySpan<uint> features, uint token, uint threshold)
    {
        int lanes = Vector<uint>.Count;
        var limit = new Vector<uint>(threshold);
        int i = 0;
        for (; i <= kept.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            ReadOnlySpan<Vector<uint>> four = MemoryMarshal.Cast<uint, Vector<uint>>(features.Slice(i, 4 * lanes));
            Vector<ushort> low = Vector.Narrow(AtLeast(four[0], token, limit), AtLeast(four[1], token, limit));
            Vector<ushort> high = Vector.Narrow(AtLeast(four[2], token, limit), AtLeast(four[3], token, limit));
            (Vector.Narrow(low, high) & Vector<byte>.One).CopyTo(kept[i..]);
        }
        for (; i < kept.Length; i++)
        {
            kept[i] = Mix(features[i] ^ token) >= threshold ? (byte)1 : (byte)0;
        }
    }

    private static Vector<uint> AtLeast(Vector<uint> feature, uint token, Vector<uint> limit)
    {
        Vector<uint> x = feature ^ new Vector<uint>(token);
        x ^= x >>> 16;
        x *= 0x7feb352du;
        x ^= x >>> 15;
        x *= 0x846ca68bu;
        x ^= x >>> 16;
        return Vector.GreaterThanOrEqual(x, limit);
    }

    private static uint Mix(uint x)
    {
        x ^= x >> 16;
        x *= 0x7feb352d;
        x ^= x >> 15;
        x *= 0x846ca68b;
        return x ^ (x >> 16);
    }

    private static ulong Mix64(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
