using System.Numerics.Tensors;

namespace Lacos.Cli.Mining;

/// <summary>Vectors of norm 1, in blocks small enough to be allocated whatever their number.</summary>
internal sealed class VectorTable(int dimension)
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 4096;

    private readonly List<float[]> _blocks = [];

    /// <summary>Elements of a vector.</summary>
    public int Dimension { get; } = dimension;

    /// <summary>Vectors.</summary>
    public int Count { get; private set; }

    /// <summary>Adds vectors; every call but the last fills a block.</summary>
    /// <param name="vectors">[rows, dimension], at most <see cref="BlockRows"/> rows; normalised in place and kept.</param>
    public void Add(float[] vectors)
    {
        for (int start = 0; start < vectors.Length; start += Dimension)
        {
            Span<float> vector = vectors.AsSpan(start, Dimension);
            float norm = TensorPrimitives.Norm<float>(vector);
            if (norm > 0)
            {
                TensorPrimitives.Divide(vector, norm, vector);
            }
        }
        _blocks.Add(vectors);
        Count += vectors.Length / Dimension;
    }

    /// <summary>Vectors from one on, as many as lie together.</summary>
    public ReadOnlySpan<float> From(int row) => _blocks[row / BlockRows].AsSpan(row % BlockRows * Dimension);

    /// <summary>A vector.</summary>
    public ReadOnlySpan<float> this[int row] => From(row)[..Dimension];
}
