namespace Lacos.Cli.Output;

/// <summary>Writes vectors as they come and completes them at the end; nothing is left behind without <see cref="Complete"/>.</summary>
internal abstract class VectorWriter : IDisposable
{
    /// <summary>Vectors written.</summary>
    public long Count { get; private set; }

    /// <summary>Writes the vectors of some texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="vectors">[texts, dimension] row-major.</param>
    public void Write(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors)
    {
        WriteRows(texts, vectors);
        Count += texts.Length;
    }

    /// <summary>Writes vectors that are in their precision already; they are counted by <see cref="CountEncoded"/>.</summary>
    /// <param name="rows">Whole rows, as <see cref="VectorPrecisions.Encode"/> makes them; of <c>.jsonl</c> any bytes of its lines.</param>
    public abstract void WriteEncoded(ReadOnlySpan<byte> rows);

    /// <summary>Counts vectors that were written as bytes.</summary>
    public void CountEncoded(long count) => Count += count;

    /// <summary>Finishes the file and gives it its name.</summary>
    public abstract void Complete();

    public abstract void Dispose();

    protected abstract void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors);
}
