namespace Microsoft.ML.Lacos.Native;

/// <summary>How row-wise int8 codes lie when they are packed for a kernel set: panels of rows, in which groups of columns stand side by side.</summary>
/// <param name="Width">Rows of the matrix in a panel.</param>
/// <param name="Group">Columns of the matrix that lie together.</param>
/// <param name="Flip">What each code's byte is xor-ed with: 0, or 128 for kernels that multiply unsigned weights.</param>
/// <remarks>Bytes [ceil(rows / <paramref name="Width"/>)][ceil(columns / <paramref name="Group"/>)][<paramref name="Width"/>][<paramref name="Group"/>]; the last panel and the last group are padded.</remarks>
public readonly record struct WeightPanels(int Width, int Group, int Flip)
{
    private const int LargestWidth = 4096;
    private const int LargestGroup = 64;

    /// <summary>Whether these are numbers that panels can have.</summary>
    internal bool IsValid => Width is > 0 and <= LargestWidth && Group is > 0 and <= LargestGroup && Flip is 0 or 128;

    /// <summary>Sizes of the packed tensor, outermost first.</summary>
    internal long[] Shape(int rows, int columns) => [(rows + (long)Width - 1) / Width, (columns + (long)Group - 1) / Group, Width, Group];

    /// <summary>Bytes of a packed matrix.</summary>
    internal long ByteLength(int rows, int columns) => Shape(rows, columns).Aggregate(1L, (product, size) => product * size);

    /// <summary>Bytes of one panel.</summary>
    internal int PanelLength(int columns) => checked((columns + Group - 1) / Group * Group * Width);

    /// <summary>Reads one row of a packed matrix.</summary>
    /// <param name="packed">The panels.</param>
    /// <param name="row">Which row.</param>
    /// <param name="codes">As many codes as the matrix has columns.</param>
    internal unsafe void ReadRow(byte* packed, int row, Span<sbyte> codes)
    {
        byte* from = packed + ((long)(row / Width) * PanelLength(codes.Length)) + ((long)(row % Width) * Group);
        for (int column = 0; column < codes.Length; column += Group, from += (long)Width * Group)
        {
            int count = Math.Min(Group, codes.Length - column);
            for (int i = 0; i < count; i++)
            {
                codes[column + i] = (sbyte)(from[i] ^ Flip);
            }
        }
    }

    /// <summary>Puts codes of 0 where a packed matrix has no row or column; elsewhere the memory is to be written yet.</summary>
    /// <param name="packed">The panels, all bytes 0.</param>
    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="columns">Its columns.</param>
    internal unsafe void FillPadding(byte* packed, int rows, int columns)
    {
        if (Flip == 0 || (rows % Width == 0 && columns % Group == 0))
        {
            return;
        }
        long panel = PanelLength(columns);
        for (long first = 0; first < ByteLength(rows, columns); first += panel)
        {
            new Span<byte>(packed + first, (int)panel).Fill((byte)Flip);
        }
    }

    /// <summary>Writes one row of a packed matrix.</summary>
    /// <param name="packed">The panels.</param>
    /// <param name="row">Which row.</param>
    /// <param name="codes">As many codes as the matrix has columns.</param>
    internal unsafe void WriteRow(byte* packed, int row, ReadOnlySpan<sbyte> codes)
    {
        int length = PanelLength(codes.Length);
        WriteRow(codes, row % Width, new Span<byte>(packed + ((long)(row / Width) * length), length));
    }

    /// <summary>Writes one row into a panel.</summary>
    /// <param name="codes">The row's codes.</param>
    /// <param name="place">Which of the panel's rows it is.</param>
    /// <param name="panel">The panel.</param>
    internal void WriteRow(ReadOnlySpan<sbyte> codes, int place, Span<byte> panel)
    {
        int to = place * Group;
        for (int column = 0; column < codes.Length; column += Group, to += Width * Group)
        {
            int count = Math.Min(Group, codes.Length - column);
            for (int i = 0; i < count; i++)
            {
                panel[to + i] = (byte)((byte)codes[column + i] ^ Flip);
            }
        }
    }
}
