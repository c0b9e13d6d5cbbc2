using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Losses;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>Computes the gradients of a loss over a batch whose rows several ranks encode.</summary>
/// <remarks>
/// Each rank encodes its rows and gives the vectors to all; each computes the loss of the whole batch, so that every row meets every negative, and sends the gradients of its own vectors back
/// through its own graph. Summed over the ranks, the gradients are those of one process on the whole batch. Vectors travel once, gradients once: for r = 8 on query_key_value of bloom-560m 3 MB a step.
/// </remarks>
internal sealed class SharedBatch(Ranks ranks, int columns, int rows, int dimension, torch.Device device)
{
    /// <summary>Adds this rank's share of the gradients to everything trained.</summary>
    /// <param name="loss">Any loss.</param>
    /// <param name="chunkRows">Rows encoded at once; where this rank has no more than that, nothing is encoded twice.</param>
    /// <param name="encode">Encodes rows of the whole batch by their number.</param>
    /// <param name="labels">Labels of the whole batch, as the loss needs.</param>
    /// <returns>The loss of the whole batch.</returns>
    public double Backward(SentenceLoss loss, int chunkRows, ChunkEncoder encode, torch.Tensor? labels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        RankRows own = RankRows.Of(rows, ranks.Rank, ranks.Count);
        EncodedChunks? chunks = own.Count == 0 ? null : new EncodedChunks(columns, own.First, own.Count, chunkRows, encode, keepGraphs: own.Count <= chunkRows);
        torch.Tensor[] vectors = Gather(chunks?.Vectors ?? []);
        (double value, torch.Tensor[] gradients) = GradientCache.GradientsOfVectors(loss, vectors, labels);
        chunks?.Backward([.. gradients.Select(column => column.narrow(0, own.First, own.Count))]);
        return value;
    }

    private torch.Tensor[] Gather(torch.Tensor[] own)
    {
        // Blocks are equal, so that a rank with a row less leaves the end of its own empty: [rank, column, row, dimension].
        int most = RankRows.Most(rows, ranks.Count);
        int block = checked(most * dimension);
        float[] sent = new float[checked(columns * block)];
        for (int column = 0; column < own.Length; column++)
        {
            DeviceTensors.Read(own[column]).CopyTo(sent, column * block);
        }
        ReadOnlySpan<float> all = MemoryMarshal.Cast<byte, float>(ranks.Gather(MemoryMarshal.AsBytes<float>(sent)));
        var vectors = new torch.Tensor[columns];
        for (int column = 0; column < columns; column++)
        {
            float[] together = new float[checked(rows * dimension)];
            for (int rank = 0; rank < ranks.Count; rank++)
            {
                RankRows part = RankRows.Of(rows, rank, ranks.Count);
                all.Slice(((rank * columns) + column) * block, part.Count * dimension).CopyTo(together.AsSpan(part.First * dimension));
            }
            vectors[column] = DeviceTensors.Of(together, [rows, dimension], device);
        }
        return vectors;
    }
}
