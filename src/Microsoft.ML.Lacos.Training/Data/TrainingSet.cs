using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Microsoft.ML.Lacos.Training.Data;

/// <summary>The rows of one data set, which refer to texts by number.</summary>
internal sealed class TrainingSet
{
    private readonly Lazy<string> _fingerprint;

    public TrainingSet(int[][] columns, TokenStore tokens, double[]? labels = null, int classCount = 0)
    {
        Columns = TokenColumns = columns;
        Tokens = tokens;
        Labels = labels;
        ClassCount = classCount;
        _fingerprint = new Lazy<string>(Hash);
    }

    /// <summary>For each column of sentences and row, which text stands there, whatever prompt is put before it.</summary>
    public int[][] Columns { get; }

    /// <summary>For each column of sentences and row, which of <see cref="Tokens"/> are the text's behind the column's prompt: <see cref="Columns"/> itself where all columns have one prompt.</summary>
    public int[][] TokenColumns { get; init; }

    /// <summary>Token ids of each text behind each prompt that it has; all data sets of a run share them.</summary>
    public TokenStore Tokens { get; }

    /// <summary>One label a row; null where the loss needs none. Classes are counted from 0.</summary>
    public double[]? Labels { get; }

    /// <summary>Classes of the labels; 0 where they are no classes.</summary>
    public int ClassCount { get; }

    /// <summary>A teacher's vector for each row; null where the loss needs none.</summary>
    public float[][]? Vectors { get; init; }

    /// <summary>For each row the number of its value in the column that balances; null where none does.</summary>
    public int[]? Groups { get; init; }

    /// <summary>For each row the number of the class that both its texts are of, where the loss tells negatives by it; null where it does not. A batch holds as many rows of one class as of another.</summary>
    public int[]? Classes { get; init; }

    /// <summary>Rows.</summary>
    public int Count => Columns[0].Length;

    /// <summary>sha256 over rows, token ids, labels and groups: two sets with the same one train alike.</summary>
    public string Fingerprint => _fingerprint.Value;

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var ids = new List<int>();
        foreach ((int[] column, int[] tokens) in Columns.Zip(TokenColumns))
        {
            Append(column);
            foreach (int text in tokens)
            {
                ids.Clear();
                Tokens.AppendTo(text, ids);
                Append(CollectionsMarshal.AsSpan(ids));
            }
        }
        hash.AppendData(MemoryMarshal.AsBytes<double>(Labels ?? []));
        Append(Groups ?? []);
        foreach (float[] vector in Vectors ?? [])
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(vector));
        }
        if (Classes is not null)
        {
            Append(Classes);
        }
        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();

        void Append(ReadOnlySpan<int> values)
        {
            hash.AppendData(BitConverter.GetBytes(values.Length));
            hash.AppendData(MemoryMarshal.AsBytes(values));
        }
    }
}

/// <summary>A data set and what a run does with it.</summary>
internal sealed record LoadedDataset(DatasetSettings Settings, TrainingSet Rows);
