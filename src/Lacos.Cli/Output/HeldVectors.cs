namespace Lacos.Cli.Output;

/// <summary>Vectors in the bytes they are written as, held until they fill a group of a fixed number of rows, whatever windows they come in, so that the same rows make the same file.</summary>
/// <param name="dimension">Elements of a vector.</param>
/// <param name="precision">Precision it is written in.</param>
/// <param name="elements">Elements of a group at most; it has one row at least.</param>
internal sealed class HeldVectors(int dimension, VectorPrecision precision, int elements)
{
    private readonly int _mostRows = Math.Max(1, elements / precision.ElementCount(dimension));
    private byte[] _bytes = [];

    /// <summary>Precision of the bytes.</summary>
    public VectorPrecision Precision => precision;

    /// <summary>Bytes of a row.</summary>
    public int RowBytes { get; } = precision.RowBytes(dimension);

    /// <summary>Rows held.</summary>
    public int Rows { get; private set; }

    /// <summary>Rows held, [<see cref="Rows"/>, <see cref="RowBytes"/>].</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Rows * RowBytes);

    /// <summary>Adds vectors.</summary>
    /// <param name="vectors">[rows, dimension].</param>
    /// <param name="write">Called whenever a group is full; afterwards none is held.</param>
    public void Add(ReadOnlySpan<float> vectors, Action write)
    {
        for (; !vectors.IsEmpty; vectors = vectors[dimension..])
        {
            precision.Encode(vectors[..dimension], NextRow());
            WriteFull(write);
        }
    }

    /// <summary>Adds vectors that are in their precision already.</summary>
    /// <param name="rows">[rows, <see cref="RowBytes"/>].</param>
    /// <param name="write">As for <see cref="Add"/>.</param>
    public void AddEncoded(ReadOnlySpan<byte> rows, Action write)
    {
        for (; !rows.IsEmpty; rows = rows[RowBytes..])
        {
            rows[..RowBytes].CopyTo(NextRow());
            WriteFull(write);
        }
    }

    // Grows with the rows, so that few rows take little memory.
    private Span<byte> NextRow()
    {
        int start = Rows++ * RowBytes;
        if (_bytes.Length < start + RowBytes)
        {
            Array.Resize(ref _bytes, (int)Math.Min((long)_mostRows * RowBytes, Math.Max(start + (long)RowBytes, 2L * _bytes.Length)));
        }
        return _bytes.AsSpan(start, RowBytes);
    }

    private void WriteFull(Action write)
    {
        if (Rows == _mostRows)
        {
            write();
            Rows = 0;
        }
    }
}
