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
    /// <exception cref="ArgumentException">The encoder gave another shape than [count, dimension], or columns or labels are not what the loss needs.</exception>
    /// <exception cref="InvalidOperationException">The encoder gave other vectors the second time.</exception>
    public static double Backward(SentenceLoss loss, int columns, int rows, int chunkRows, ChunkEncoder encode, torch.Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(encode);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkRows);
        using DisposeScope scope = torch.NewDisposeScope();
        List<Chunk> chunks = [.. Chunks(columns, rows, chunkRows)];
        foreach (Chunk chunk in chunks)
        {
            chunk.RandomState = torch.random.get_rng_state();
            using torch.Tensor vectors = WithoutGraph(encode, chunk);
            chunk.Vectors = vectors.detach().clone();
        }
        (double value, torch.Tensor[] gradients) = LossGradients(loss, columns, chunks, labels);
        foreach (Chunk chunk in chunks)
        {
            using DisposeScope chunkScope = torch.NewDisposeScope();
            torch.random.set_rng_state(chunk.RandomState!);
            torch.Tensor vectors = encode(chunk.Column, chunk.Start, chunk.Count);
            CheckRepeated(chunk, vectors);
            (vectors * gradients[chunk.Column].narrow(0, chunk.Start, chunk.Count)).sum().backward();
        }
        return value;
    }

    private static IEnumerable<Chunk> Chunks(int columns, int rows, int chunkRows)
    {
        for (int column = 0; column < columns; column++)
        {
            for (int start = 0; start < rows; start += chunkRows)
            {
                yield return new Chunk(column, start, Math.Min(chunkRows, rows - start));
            }
        }
    }

    private static torch.Tensor WithoutGraph(ChunkEncoder encode, Chunk chunk)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGradient = torch.no_grad();
        torch.Tensor vectors = encode(chunk.Column, chunk.Start, chunk.Count);
        return vectors.dim() == 2 && vectors.shape[0] == chunk.Count
            ? vectors.MoveToOuterDisposeScope()
            : throw new ArgumentException($"The encoder gave shape [{string.Join(", ", vectors.shape)}] for {chunk.Count} rows; [{chunk.Count}, dimension] is needed.", nameof(encode));
    }

    private static (double Loss, torch.Tensor[] Gradients) LossGradients(SentenceLoss loss, int columns, List<Chunk> chunks, torch.Tensor? labels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor[] vectors = [.. Enumerable.Range(0, columns)
            .Select(column => torch.cat([.. chunks.Where(chunk => chunk.Column == column).Select(chunk => chunk.Vectors!)], 0).requires_grad_())];
        torch.Tensor value = loss.Forward(vectors, labels);
        value.backward();
        torch.Tensor[] gradients = [.. vectors.Select(column => (column.grad ?? torch.zeros_like(column)).MoveToOuterDisposeScope())];
        return (value.to_type(torch.ScalarType.Float64).item<double>(), gradients);
    }

    // Another dropout mask, or an encoder that depends on more than the chunk, would give silently wrong gradients.
    private static void CheckRepeated(Chunk chunk, torch.Tensor vectors)
    {
        using torch.Tensor again = vectors.detach();
        double difference = (again - chunk.Vectors!).abs().max().to_type(torch.ScalarType.Float64).item<double>();
        double size = chunk.Vectors!.abs().max().to_type(torch.ScalarType.Float64).item<double>();
        if (difference > 1e-3 * size)
        {
            throw new InvalidOperationException(
                $"Column {chunk.Column}, rows {chunk.Start} to {chunk.Start + chunk.Count - 1}: the second encoding differs from the first by {difference:g3} (largest value {size:g3}). "
                + "Encode the same texts with the same dropout both times.");
        }
    }

    private sealed class Chunk(int column, int start, int count)
    {
        public int Column { get; } = column;

        public int Start { get; } = start;

        public int Count { get; } = count;

        public torch.Tensor? RandomState { get; set; }

        public torch.Tensor? Vectors { get; set; }
    }
}
