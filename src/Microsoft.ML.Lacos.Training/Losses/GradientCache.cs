using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Encodes the sentences of a chunk; gradients must be able to flow from the result to what is trained.</summary>
/// <param name="column">Column of sentences, from 0.</param>
/// <param name="start">First row of the chunk.</param>
/// <param name="count">Rows of the chunk.</param>
/// <returns>Vectors [count, dimension].</returns>
public delegate torch.Tensor ChunkEncoder(int column, int start, int count);

/// <summary>
/// Computes the gradients of a loss over a whole batch with the memory of a small one (GradCache), so that a contrastive loss sees a thousand pairs at a time.
/// </summary>
/// <remarks>
/// <para>The batch is encoded in chunks without a graph; the loss of all vectors gives the gradient of each vector; then each chunk is encoded once more, with a graph, and its vectors' gradients
/// are sent back through it. The gradients are those of the whole batch; the price is one more forward pass.</para>
/// <para>Literature: Gao et al. 2021, arXiv 2101.06983.</para>
/// </remarks>
public static class GradientCache
{
    /// <summary>Adds the gradients of the loss to everything trained, and gives the loss.</summary>
    /// <param name="loss">Any loss.</param>
    /// <param name="columns">Columns of sentences.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="chunkRows">Rows encoded at once.</param>
    /// <param name="encode">Called twice for each chunk; torch's random state on the CPU is the same in both calls, so that dropout is too.</param>
    /// <param name="labels">Labels of the whole batch, as the loss needs.</param>
    /// <returns>The loss of the whole batch.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    /// <exception cref="ArgumentException">The encoder gave another shape than [count, dimension] or vectors that no gradient flows from, or columns or labels are not what the loss needs.</exception>
    /// <exception cref="InvalidOperationException">The encoder gave other vectors the second time.</exception>
    public static double Backward(SentenceLoss loss, int columns, int rows, int chunkRows, ChunkEncoder encode, torch.Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(encode);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkRows);
        using DisposeScope scope = torch.NewDisposeScope();
        var chunks = new EncodedChunks(columns, first: 0, rows, chunkRows, encode, keepGraphs: false);
        (double value, torch.Tensor[] gradients) = GradientsOfVectors(loss, chunks.Vectors, labels);
        chunks.Backward(gradients);
        return value;
    }

    /// <summary>Computes a loss and the gradient of each of its vectors; adds the gradients of what the loss itself learns.</summary>
    /// <param name="loss">Any loss.</param>
    /// <param name="vectors">[rows, dimension] of each column, outside any graph.</param>
    /// <param name="labels">As the loss needs.</param>
    internal static (double Loss, torch.Tensor[] Gradients) GradientsOfVectors(SentenceLoss loss, torch.Tensor[] vectors, torch.Tensor? labels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor[] leaves = [.. vectors.Select(column => column.detach().requires_grad_())];
        torch.Tensor value = loss.Forward(leaves, labels);
        value.backward();
        torch.Tensor[] gradients = [.. leaves.Select(column => (column.grad ?? torch.zeros_like(column)).MoveToOuterDisposeScope())];
        return (value.to_type(torch.ScalarType.Float64).item<double>(), gradients);
    }
}
