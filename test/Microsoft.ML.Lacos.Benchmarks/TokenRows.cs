namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>A batch of token ids in the two forms the engines take: concatenated, and padded on the right.</summary>
internal sealed class TokenRows
{
    public TokenRows(IReadOnlyList<int[]> rows)
    {
        Count = rows.Count;
        Length = rows.Max(row => row.Length);
        Offsets = new int[rows.Count + 1];
        Padded = new long[rows.Count * Length];
        Mask = new float[rows.Count * Length];
        for (int row = 0; row < rows.Count; row++)
        {
            Offsets[row + 1] = Offsets[row] + rows[row].Length;
            for (int i = 0; i < rows[row].Length; i++)
            {
                Padded[(row * Length) + i] = rows[row][i];
                Mask[(row * Length) + i] = 1;
            }
        }
        Rows = rows;
        Ids = [.. rows.SelectMany(row => row)];
    }

    public IReadOnlyList<int[]> Rows { get; }

    public int Count { get; }

    public int Length { get; }

    public int[] Ids { get; }

    public int[] Offsets { get; }

    public long[] Padded { get; }

    public float[] Mask { get; }

    /// <summary>Rows of given lengths with random ids.</summary>
    public static TokenRows Random(IReadOnlyList<int> lengths, int vocabulary)
    {
        var random = new Random(2);
        return new TokenRows([.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(4, vocabulary)).ToArray())]);
    }
}
