namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Random numbers that are the same in every version of .NET (Steele, Lea and Flood 2014).</summary>
internal struct SplitMix64(ulong state)
{
    private ulong _state = state;

    /// <summary>A number from 0 to below a limit.</summary>
    public int Below(int limit)
    {
        ulong x = _state += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return (int)Math.BigMul(x ^ (x >> 31), (ulong)limit, out _);
    }

    /// <summary>Puts values into a random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int other = Below(i + 1);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }
}
