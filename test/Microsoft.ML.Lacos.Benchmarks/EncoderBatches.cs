using System.Globalization;
using Microsoft.ML.Lacos.Bloom;

namespace Microsoft.ML.Lacos.Benchmarks;

/// <summary>The batches that encoders are measured on.</summary>
internal static class EncoderBatches
{
    private static readonly (int Rows, int Length)[] Even = [(1, 20), (8, 20), (32, 20), (32, 128)];

    // Tokens of 32 sentences as they come in a corpus of short texts: many short ones, a few long ones.
    private static readonly int[] Ragged = [5, 6, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 16, 17, 18, 19, 20, 21, 23, 25, 27, 30, 34, 39, 46, 60];

    public static IReadOnlyList<(string Name, TokenRows Rows)> For(BloomConfig config) =>
    [
        .. Even.Select(batch => ($"{batch.Rows} x {batch.Length}", TokenRows.Random([.. Enumerable.Repeat(batch.Length, batch.Rows)], config.VocabularySize))),
        (string.Create(CultureInfo.InvariantCulture, $"{Ragged.Length} x {Ragged[0]}-{Ragged[^1]}"), TokenRows.Random(Ragged, config.VocabularySize)),
    ];
}
