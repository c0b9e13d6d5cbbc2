using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>Training data in memory: each different text once, as token ids, and rows that refer to them.</summary>
internal sealed class TrainingSet
{
    private readonly Lazy<string> _fingerprint;

    public TrainingSet(int[][] columns, int[][] tokens, double[]? labels, int classCount, int longTexts)
    {
        Columns = columns;
        Tokens = tokens;
        Labels = labels;
        ClassCount = classCount;
        LongTexts = longTexts;
        _fingerprint = new Lazy<string>(Hash);
    }

    /// <summary>For each column of sentences and row, which text stands there.</summary>
    public int[][] Columns { get; }

    /// <summary>Token ids of each text.</summary>
    public int[][] Tokens { get; }

    /// <summary>One label a row; null where the loss needs none. Classes are counted from 0.</summary>
    public double[]? Labels { get; }

    /// <summary>Classes of the labels; 0 where they are no classes.</summary>
    public int ClassCount { get; }

    /// <summary>Texts that were cut at the token limit.</summary>
    public int LongTexts { get; }

    /// <summary>For each row, a group of which a batch may hold one row only; null where there are none.</summary>
    public int[]? Groups { get; init; }

    /// <summary>Rows.</summary>
    public int Count => Columns[0].Length;

    /// <summary>sha256 over rows, token ids and labels: two sets with the same one train alike.</summary>
    public string Fingerprint => _fingerprint.Value;

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] array in Columns.Concat(Tokens))
        {
            hash.AppendData(BitConverter.GetBytes(array.Length));
            hash.AppendData(MemoryMarshal.AsBytes<int>(array));
        }
        hash.AppendData(MemoryMarshal.AsBytes<double>(Labels ?? []));
        hash.AppendData(MemoryMarshal.AsBytes<int>(Groups ?? []));
        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
    }
}
