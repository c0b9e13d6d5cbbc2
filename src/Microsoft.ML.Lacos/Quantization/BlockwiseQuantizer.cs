namespace Microsoft.ML.Lacos.Quantization;

/// <summary>Block-wise 8-bit quantisation with a code book (arXiv 2110.02861): <c>code</c> is the nearest book value to <c>w * (1 / absmax)</c>.</summary>
/// <remarks>
/// Exactly nearest by the fp32 midpoints between neighbouring values; a tie goes to the lower index, as <c>bucketize</c> of the reference.
/// (The CPU look-up table of bitsandbytes is off by one code on about 1 % of the values and does not keep zero; it is not imitated.)
/// </remarks>
internal sealed class BlockwiseQuantizer : IWeightQuantizer
{
    /// <summary>Elements a block unless said otherwise, as in the reference.</summary>
    public const int DefaultBlockSize = 4096;

    // The reference divides by no less than this, so that 1 / absmax stays finite.
    private const float SmallestDivisor = 1e-38f;

    private readonly float[] _book;
    private readonly float[] _midpoints;

    /// <summary>Makes a quantiser.</summary>
    /// <param name="scheme">Block-wise dynamic or linear.</param>
    /// <param name="blockSize">Elements a block, at least 1.</param>
    public BlockwiseQuantizer(QuantizationScheme scheme, int blockSize = DefaultBlockSize)
        : this(scheme, blockSize, scheme == QuantizationScheme.BlockwiseLinear ? CodeBooks.SignedLinear : CodeBooks.SignedDynamic)
    {
    }

    /// <summary>Makes a quantiser with a book of its own.</summary>
    /// <param name="scheme">Block-wise dynamic or linear.</param>
    /// <param name="blockSize">Elements a block, at least 1.</param>
    /// <param name="book">256 ascending values from -1 to 1.</param>
    public BlockwiseQuantizer(QuantizationScheme scheme, int blockSize, float[] book)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(book.Length, CodeBooks.Size);
        Scheme = scheme is QuantizationScheme.BlockwiseDynamic or QuantizationScheme.BlockwiseLinear
            ? scheme
            : throw new ArgumentOutOfRangeException(nameof(scheme), scheme, "Only the block-wise schemes have a code book.");
        BlockSize = blockSize;
        _book = book;
        _midpoints = new float[CodeBooks.Size - 1];
        for (int index = 0; index < _midpoints.Length; index++)
        {
            _midpoints[index] = (book[index] + book[index + 1]) / 2f;
        }
    }

    /// <inheritdoc/>
    public QuantizationScheme Scheme { get; }

    /// <inheritdoc/>
    public int BlockSize { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<float> CodeBook => _book;

    /// <inheritdoc/>
    public float Quantize(ReadOnlySpan<float> values, Span<byte> codes)
    {
        float absmax = UnitMaximum.Of(values);
        float scale = 1f / Math.Max(absmax, SmallestDivisor);
        codes = codes[..values.Length];
        for (int index = 0; index < values.Length; index++)
        {
            codes[index] = Nearest(Math.Clamp(values[index] * scale, -1f, 1f));
        }
        return absmax;
    }

    /// <summary>Index of the nearest value: how many midpoints lie strictly below <paramref name="value"/>.</summary>
    public byte Nearest(float value)
    {
        // 255 midpoints are a complete binary tree of eight levels: no bounds to check beyond the first, no branch to mispredict.
        ref float first = ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_midpoints);
        int below = 0;
        for (int step = CodeBooks.Size / 2; step > 0; step >>= 1)
        {
            below += System.Runtime.CompilerServices.Unsafe.Add(ref first, below + step - 1) < value ? step : 0;
        }
        return (byte)below;
    }
}
