using Microsoft.ML.Lacos.Quantization;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Moments in 8 bits, quantised block by block: a little over 2 bytes for each weight.</summary>
/// <remarks>
/// The first moment uses the signed dynamic code book, the second the unsigned; each block keeps its absolute maximum in fp32 (Dettmers et al. 2021, arXiv 2110.02861).
/// The weights are updated with the moments as they are before they are quantised again. Codes are exactly the nearest ones. Unlike the GPU code of bitsandbytes,
/// a first moment that is rounded to zero is left at zero instead of being given its sign back.
/// </remarks>
internal sealed class BlockwiseMoments : IMoments
{
    private readonly BlockwiseQuantizer _signed;
    private readonly BlockwiseQuantizer _unsigned;
    private readonly byte[] _firstCodes;
    private readonly byte[] _secondCodes;
    private readonly float[] _firstMaxima;
    private readonly float[] _secondMaxima;

    public BlockwiseMoments(int count, int blockSize)
    {
        _signed = new BlockwiseQuantizer(QuantizationScheme.BlockwiseDynamic, blockSize, CodeBooks.SignedDynamic);
        _unsigned = new BlockwiseQuantizer(QuantizationScheme.BlockwiseDynamic, blockSize, CodeBooks.UnsignedDynamic);
        int blocks = (count + blockSize - 1) / blockSize;
        (_firstCodes, _secondCodes) = (new byte[count], new byte[count]);
        (_firstMaxima, _secondMaxima) = (new float[blocks], new float[blocks]);
    }

    public long ByteSize => (2L * _firstCodes.Length) + (2L * sizeof(float) * _firstMaxima.Length);

    public IReadOnlyList<(string Part, Array Values)> Arrays =>
        [("moment1.codes", _firstCodes), ("moment1.absmax", _firstMaxima), ("moment2.codes", _secondCodes), ("moment2.absmax", _secondMaxima)];

    public void Apply(in AdamStep step, Span<float> weights, ReadOnlySpan<float> gradients)
    {
        int blockSize = _signed.BlockSize;
        Span<float> first = new float[blockSize];
        Span<float> second = new float[blockSize];
        for (int block = 0; block < _firstMaxima.Length; block++)
        {
            int start = block * blockSize;
            int length = Math.Min(blockSize, weights.Length - start);
            Span<byte> firstCodes = _firstCodes.AsSpan(start, length);
            Span<byte> secondCodes = _secondCodes.AsSpan(start, length);
            Span<float> m = first[..length];
            Span<float> v = second[..length];
            Dequantize(firstCodes, CodeBooks.SignedDynamic, _firstMaxima[block], m);
            Dequantize(secondCodes, CodeBooks.UnsignedDynamic, _secondMaxima[block], v);
            step.Apply(weights.Slice(start, length), gradients.Slice(start, length), m, v);
            _firstMaxima[block] = _signed.Quantize(m, firstCodes);
            _secondMaxima[block] = _unsigned.Quantize(v, secondCodes);
        }
    }

    private static void Dequantize(ReadOnlySpan<byte> codes, float[] book, float maximum, Span<float> values)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            values[i] = book[codes[i]] * maximum;
        }
    }
}
