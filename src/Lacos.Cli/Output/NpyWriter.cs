using System.Globalization;
using System.Text;

namespace Lacos.Cli.Output;

/// <summary>Writes NumPy's <c>.npy</c>, format version 1.0 (NEP 1), a matrix of one row a text.</summary>
/// <remarks>The number of rows is known last, so the header is written twice; padding keeps its length, and the data aligned to 64 bytes.</remarks>
internal sealed class NpyWriter : VectorWriter
{
    // Room for a row count of 19 digits.
    private const int HeaderLength = 128;

    private readonly PendingFile _file;
    private readonly int _dimension;
    private readonly VectorPrecision _precision;
    private readonly byte[] _row;

    public NpyWriter(string path, int dimension, VectorPrecision precision)
    {
        _dimension = dimension;
        _precision = precision;
        _row = new byte[precision.RowBytes(dimension)];
        _file = PendingFile.Create(path);
        _file.Stream.Write(Header(0));
    }

    /// <summary>The header of a file.</summary>
    /// <param name="rows">Vectors in it.</param>
    /// <param name="dimension">Elements of a vector.</param>
    /// <param name="precision">What they are written as.</param>
    public static byte[] Header(long rows, int dimension, VectorPrecision precision)
    {
        string type = precision switch { VectorPrecision.Float32 => "<f4", VectorPrecision.Int8 => "|i1", _ => "|u1" };
        string description = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({rows}, {precision.ElementCount(dimension)}), }}");
        byte[] magic = [0x93, .. "NUMPY"u8, 1, 0, (HeaderLength - 10) & 0xff, (HeaderLength - 10) >> 8];
        return [.. magic, .. Encoding.ASCII.GetBytes(description.PadRight(HeaderLength - magic.Length - 1) + "\n")];
    }

    public override void WriteEncoded(ReadOnlySpan<byte> rows) => _file.Stream.Write(rows);

    public override void Complete()
    {
        _file.Stream.Position = 0;
        _file.Stream.Write(Header(Count));
        _file.Commit();
    }

    public override void Dispose() => _file.Dispose();

    protected override void WriteRows(ReadOnlySpan<string?> texts, ReadOnlySpan<float> vectors)
    {
        for (int i = 0; i < texts.Length; i++)
        {
            _precision.Encode(vectors.Slice(i * _dimension, _dimension), _row);
            _file.Stream.Write(_row);
        }
    }

    private byte[] Header(long rows) => Header(rows, _dimension, _precision);
}
