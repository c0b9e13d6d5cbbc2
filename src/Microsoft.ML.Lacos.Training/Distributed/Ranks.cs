using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>What a run asks of its process group; a run of its own asks nobody.</summary>
internal sealed class Ranks(IProcessGroup? group)
{
    /// <summary>Whether there are others.</summary>
    public bool AreMany => group is { Count: > 1 };

    public int Rank => group?.Rank ?? 0;

    public int Count => group?.Count ?? 1;

    /// <summary>Whether this is the rank that writes and evaluates.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Whether it is so on any rank.</summary>
    public bool Any(bool here) => AreMany ? Gather([(byte)(here ? 1 : 0)]).Contains((byte)1) : here;

    /// <summary>The number of rank 0, its bits included.</summary>
    public double OfFirst(double number)
    {
        if (!AreMany)
        {
            return number;
        }
        Span<byte> data = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(data, number);
        group!.Broadcast(data);
        return BinaryPrimitives.ReadDoubleLittleEndian(data);
    }

    /// <summary>What rank 0 has, a number or nothing.</summary>
    public double? OfFirst(double? number) => OfFirst(number is null ? 0.0 : 1.0) > 0 ? OfFirst(number ?? 0) : null;

    /// <summary>The blocks of all ranks, in their order.</summary>
    public byte[] Gather(ReadOnlySpan<byte> own)
    {
        byte[] all = new byte[checked(own.Length * Count)];
        if (AreMany)
        {
            group!.AllGather(own, all);
        }
        else
        {
            own.CopyTo(all);
        }
        return all;
    }

    /// <summary>Adds up the numbers of all ranks, place by place.</summary>
    /// <param name="values">As many on every rank; overwritten by the sums, which have the same bits on every rank.</param>
    /// <remarks>Each rank sums its part of the places, in double and in the order of the ranks, so that neither the transport nor the timing decides a bit.</remarks>
    public void Sum(Span<float> values)
    {
        if (!AreMany)
        {
            return;
        }
        int part = (values.Length + Count - 1) / Count;
        float[] sent = new float[checked(part * Count)];
        float[] received = new float[sent.Length];
        values.CopyTo(sent);
        group!.AllToAll(MemoryMarshal.AsBytes<float>(sent), MemoryMarshal.AsBytes(received.AsSpan()));
        float[] sums = new float[part];
        for (int i = 0; i < part; i++)
        {
            double sum = 0;
            for (int rank = 0; rank < Count; rank++)
            {
                sum += received[(rank * part) + i];
            }
            sums[i] = (float)sum;
        }
        group.AllGather(MemoryMarshal.AsBytes<float>(sums), MemoryMarshal.AsBytes(sent.AsSpan()));
        sent.AsSpan(0, values.Length).CopyTo(values);
    }

    /// <summary>Refuses ranks that are not about to do the same.</summary>
    /// <param name="settings">What must be equal, by name.</param>
    /// <exception cref="InvalidOperationException">It is not, on this rank or another.</exception>
    public void RequireSame(IReadOnlyDictionary<string, string> settings)
    {
        byte[] own = JsonSerializer.SerializeToUtf8Bytes(settings.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal));
        byte[] length = BitConverter.GetBytes(own.Length);
        group!.Broadcast(length);
        byte[] first = IsFirst ? own : new byte[BitConverter.ToInt32(length)];
        group.Broadcast(first);
        Dictionary<string, string> expected = JsonSerializer.Deserialize<Dictionary<string, string>>(first)!;

        // The data last: they are compared as tokens, which prompts and limit change too.
        string? different = expected.Keys.Union(settings.Keys).OrderBy(name => name == "data").ThenBy(name => name, StringComparer.Ordinal).FirstOrDefault(name => expected.GetValueOrDefault(name) != settings.GetValueOrDefault(name));
        byte[] answers = Gather([(byte)(different is null ? 0 : 1)]);
        if (different is not null)
        {
            throw new InvalidOperationException(
                $"Rank {Rank} of {Count} differs from rank 0 in '{different}': {settings.GetValueOrDefault(different) ?? "nothing"} here, {expected.GetValueOrDefault(different) ?? "nothing"} there. Start all with the same options, on the same files.");
        }
        if (Array.IndexOf(answers, (byte)1) is >= 0 and int other)
        {
            throw new InvalidOperationException($"Rank {other} of {Count} has other options or files than rank 0; its own message says which.");
        }
    }
}
