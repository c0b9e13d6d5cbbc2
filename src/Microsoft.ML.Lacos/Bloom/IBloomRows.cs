namespace Microsoft.ML.Lacos.Bloom;

/// <summary>A BLOOM's weights as 32-bit floats, a row at a time: what an export needs, which never holds a whole model in floats.</summary>
internal interface IBloomRows
{
    /// <summary>Shape.</summary>
    BloomConfig Config { get; }

    /// <summary>A vector.</summary>
    /// <param name="name">Name without prefix.</param>
    /// <param name="length">Length it must have.</param>
    float[] Vector(string name, int length);

    /// <summary>A matrix.</summary>
    /// <param name="name">Name without prefix and without <c>.weight</c>.</param>
    /// <param name="rows">Rows it must have.</param>
    /// <param name="columns">Columns it must have.</param>
    MatrixRows Matrix(string name, int rows, int columns);
}

/// <summary>A matrix, a row at a time.</summary>
/// <param name="Name">Name for messages.</param>
/// <param name="Read">Reads the row of an index into as many floats as there are columns; from any thread.</param>
/// <param name="LetGo">Told of rows that will not be read again: the first, and how many.</param>
internal sealed record MatrixRows(string Name, Action<int, Memory<float>> Read, Action<int, int> LetGo);
