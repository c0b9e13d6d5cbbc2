using CsCheck;
using Microsoft.ML.Data;
using Microsoft.ML.Lacos.Pipeline;

namespace Microsoft.ML.Lacos.Tests.Pipeline;

[TestClass]
public sealed class VectorFormatTests
{
    private static readonly Gen<float[]> s_vectors = Gen.Float[-3, 3].Array[1, 70];
    private readonly MLContext _context = new(1);

    [TestMethod]
    public void Int8IsTheNormalisedVectorTimes127Rounded() => s_vectors.Sample(vector =>
    {
        var codes = new sbyte[vector.Length];
        VectorFormat.ToInt8(vector, codes);
        double norm = Math.Sqrt(vector.Sum(value => (double)value * value));
        for (int i = 0; i < vector.Length; i++)
        {
            Assert.AreEqual(norm == 0 ? 0 : 127 * vector[i] / norm, codes[i], 0.500001);
            Assert.IsTrue(codes[i] is >= -127 and <= 127);
        }
    });

    [TestMethod]
    public void BinaryIsOneBitADimensionMostSignificantFirst() => s_vectors.Sample(vector =>
    {
        var bits = new byte[(vector.Length + 7) / 8];
        Array.Fill(bits, (byte)0xFF);
        VectorFormat.ToBinary(vector, bits);
        for (int i = 0; i < 8 * bits.Length; i++)
        {
            bool expected = i < vector.Length && vector[i] > 0;
            Assert.AreEqual(expected, (bits[i / 8] & (128 >> (i % 8))) != 0);
        }
    });

    [TestMethod]
    public void BinaryAgreesWithPackbitsOfNumPy()
    {
        // np.packbits(np.array([1, -1, 2, 0, 0, 3, -0.5, 1, 1, 1]) > 0)
        var bits = new byte[2];
        VectorFormat.ToBinary([1, -1, 2, 0, 0, 3, -0.5f, 1, 1, 1], bits);
        CollectionAssert.AreEqual(new byte[] { 165, 192 }, bits);
    }

    [TestMethod]
    public void TheLargestAndSmallestInt8AreReachedAndZeroStaysZero()
    {
        var codes = new sbyte[3];
        VectorFormat.ToInt8([0, -5, 0], codes);
        CollectionAssert.AreEqual(new sbyte[] { 0, -127, 0 }, codes);
        VectorFormat.ToInt8([0, 0, 0], codes);
        CollectionAssert.AreEqual(new sbyte[3], codes);
    }

    [TestMethod]
    public void Int8ColumnHoldsSignedBytesAndIsNotCalledNormalised()
    {
        var encoder = new FakeEncoder(isNormalized: false);
        TextRow[] rows = TextRow.Make(20);
        IDataView view = View(encoder, rows, EmbeddingPrecision.Int8);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.SByte, 10), view.Schema["Features"].Type);
        Assert.IsNull(view.Schema["Features"].Annotations.Schema.GetColumnOrNull("IsNormalized"));
        sbyte[][] codes = [.. view.GetColumn<sbyte[]>("Features")];
        for (int i = 0; i < rows.Length; i++)
        {
            var expected = new sbyte[10];
            VectorFormat.ToInt8(encoder.Vector(rows[i].Text), expected);
            CollectionAssert.AreEqual(expected, codes[i]);
        }
    }

    [TestMethod]
    public void BinaryColumnHoldsAnEighthAsManyBytesWithNames()
    {
        var encoder = new FakeEncoder();
        TextRow[] rows = TextRow.Make(20);
        IDataView view = View(encoder, rows, EmbeddingPrecision.Binary);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Byte, 2), view.Schema["Features"].Type);
        VBuffer<ReadOnlyMemory<char>> names = default;
        view.Schema["Features"].GetSlotNames(ref names);
        CollectionAssert.AreEqual(new[] { "e0-e7", "e8-e9" }, names.DenseValues().Select(name => name.ToString()).ToArray());
        byte[][] bits = [.. view.GetColumn<byte[]>("Features")];
        for (int i = 0; i < rows.Length; i++)
        {
            var expected = new byte[2];
            VectorFormat.ToBinary(encoder.Vector(rows[i].Text), expected);
            CollectionAssert.AreEqual(expected, bits[i]);
        }
    }

    private IDataView View(FakeEncoder encoder, TextRow[] rows, EmbeddingPrecision precision)
    {
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        SentenceEmbeddingEstimator.Options options = FakeEncoder.Options();
        options.Precision = precision;
        options.Normalize = encoder.IsNormalized;
        return encoder.Fit(_context, data, options).Transform(data);
    }
}
