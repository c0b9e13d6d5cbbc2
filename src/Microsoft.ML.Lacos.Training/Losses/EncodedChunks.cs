using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Losses;

/// <summary>Rows of a batch encoded in chunks, and the way back through them once the gradients of their vectors are known.</summary>
internal sealed class EncodedChunks
{
    private readonly ChunkEncoder _encode;
    private readonly int _columns;
    private readonly List<Chunk> _chunks = [];

    /// <summary>Encodes the rows.</summary>
    /// <param name="columns">Columns of sentences.</param>
    /// <param name="first">First row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="chunkRows">Rows encoded at once.</param>
    /// <param name="encode">Called once more for each chunk on the way back, unless graphs are kept.</param>
    /// <param name="keepGraphs">Whether to keep every chunk's graph, for the memory of all rows and no second pass.</param>
    public EncodedChunks(int columns, int first, int rows, int chunkRows, ChunkEncoder encode, bool keepGraphs)
    {
        (_columns, _encode) = (columns, encode);
        chunkRows = Math.Min(chunkRows, rows);
        for (int column = 0; column < columns; column++)
        {
            for (int start = first; start < first + rows; start += chunkRows)
            {
                var chunk = new Chunk(column, start, start - first, Math.Min(chunkRows, first + rows - start));
                Encode(chunk, keepGraphs);
                _chunks.Add(chunk);
            }
        }
    }

    /// <summary>Vectors [rows, dimension] of each column, outside any graph.</summary>
    public torch.Tensor[] Vectors =>
        [.. Enumerable.Range(0, _columns).Select(column => torch.cat([.. _chunks.Where(chunk => chunk.Column == column).Select(chunk => chunk.Vectors!)], 0))];

    /// <summary>Sends the gradients of the vectors back to everything trained.</summary>
    /// <param name="gradients">[rows, dimension] for each column.</param>
    /// <exception cref="InvalidOperationException">The encoder gave other vectors the second time.</exception>
    public void Backward(IReadOnlyList<torch.Tensor> gradients)
    {
        foreach (Chunk chunk in _chunks)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            torch.Tensor vectors = chunk.Graph ?? EncodeAgain(chunk);
            CheckGraph(chunk, vectors);
            (vectors * gradients[chunk.Column].narrow(0, chunk.Place, chunk.Count)).sum().backward();
            chunk.Graph?.Dispose();
            chunk.Graph = null;
        }
    }

    private void Encode(Chunk chunk, bool keepGraph)
    {
        if (keepGraph)
        {
            chunk.Graph = _encode(chunk.Column, chunk.Start, chunk.Count);
            CheckShape(chunk, chunk.Graph);
            chunk.Vectors = chunk.Graph.detach();
            return;
        }
        chunk.RandomState = torch.random.get_rng_state();
        using torch.Tensor vectors = WithoutGraph(chunk);
        chunk.Vectors = vectors.detach().clone();
    }

    private torch.Tensor WithoutGraph(Chunk chunk)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGradient = torch.no_grad();
        torch.Tensor vectors = _encode(chunk.Column, chunk.Start, chunk.Count);
        CheckShape(chunk, vectors);
        return vectors.MoveToOuterDisposeScope();
    }

    private torch.Tensor EncodeAgain(Chunk chunk)
    {
        torch.random.set_rng_state(chunk.RandomState!);
        torch.Tensor vectors = _encode(chunk.Column, chunk.Start, chunk.Count);
        CheckRepeated(chunk, vectors);
        return vectors;
    }

    private static void CheckGraph(Chunk chunk, torch.Tensor vectors)
    {
        if (!vectors.requires_grad)
        {
            throw new ArgumentException($"No gradient flows from the vectors that the encoder gave for column {chunk.Column}, rows {chunk.Start} to {chunk.Start + chunk.Count - 1}. Compute them from tensors that require one, outside torch.no_grad.", "encode");
        }
    }

    private static void CheckShape(Chunk chunk, torch.Tensor? vectors)
    {
        if (vectors is null)
        {
            throw new ArgumentException($"The encoder gave null for {chunk.Count} rows; [{chunk.Count}, dimension] is needed.", "encode");
        }
        if (vectors.dim() != 2 || vectors.shape[0] != chunk.Count)
        {
            throw new ArgumentException($"The encoder gave shape [{string.Join(", ", vectors.shape)}] for {chunk.Count} rows; [{chunk.Count}, dimension] is needed.", "encode");
        }
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

    /// <param name="column">Column of sentences.</param>
    /// <param name="start">First row, in the batch.</param>
    /// <param name="place">First row, among those encoded here.</param>
    /// <param name="count">Rows.</param>
    private sealed class Chunk(int column, int start, int place, int count)
    {
        public int Column { get; } = column;

        public int Start { get; } = start;

        public int Place { get; } = place;

        public int Count { get; } = count;

        public torch.Tensor? RandomState { get; set; }

        public torch.Tensor? Vectors { get; set; }

        public torch.Tensor? Graph { get; set; }
    }
}
