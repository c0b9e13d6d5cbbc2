using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>Writes an fp32 vector into a column in the number format asked for.</summary>
internal sealed class VectorFormat(EmbeddingPrecision precision, int dimension, bool isNormalized)
{
    public EmbeddingPrecision Precision { get; } = precision;

    /// <summary>Elements of a vector in the column.</summary>
    public int Length { get; } = precision == EmbeddingPrecision.Binary ? (dimension + 7) / 8 : dimension;

    public VectorDataViewType Type => new(ItemTypeOf(Precision), Length);

    /// <summary>Whether the column holds vectors of norm 1.</summary>
    public bool IsNormalized => isNormalized && Precision == EmbeddingPrecision.Float32;

    public static NumberDataViewType ItemTypeOf(EmbeddingPrecision precision) => precision switch
    {
        EmbeddingPrecision.Int8 => NumberDataViewType.SByte,
        EmbeddingPrecision.Binary => NumberDataViewType.Byte,
        _ => NumberDataViewType.Single,
    };

    /// <summary>Names of the elements: <c>e0</c>, <c>e1</c>, ...; of a byte of signs, its dimensions: <c>e0-e7</c>, ...</summary>
    public void SlotNames(ref VBuffer<ReadOnlyMemory<char>> names)
    {
        VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref names, Length);
        for (int i = 0; i < Length; i++)
        {
            editor.Values[i] = (Precision == EmbeddingPrecision.Binary
                ? string.Create(CultureInfo.InvariantCulture, $"e{8 * i}-e{Math.Min((8 * i) + 7, dimension - 1)}")
                : string.Create(CultureInfo.InvariantCulture, $"e{i}")).AsMemory();
        }
        names = editor.Commit();
    }

    /// <summary>A getter of the column's own type over a source of fp32 vectors.</summary>
    public Delegate Getter(Func<float[]> current) => Precision switch
    {
        EmbeddingPrecision.Int8 => (ValueGetter<VBuffer<sbyte>>)((ref VBuffer<sbyte> value) =>
        {
            float[] vector = current();
            VBufferEditor<sbyte> editor = VBufferEditor.Create(ref value, Length);
            ToInt8(vector, editor.Values);
            value = editor.Commit();
        }),
        EmbeddingPrecision.Binary => (ValueGetter<VBuffer<byte>>)((ref VBuffer<byte> value) =>
        {
            float[] vector = current();
            VBufferEditor<byte> editor = VBufferEditor.Create(ref value, Length);
            ToBinary(vector, editor.Values);
            value = editor.Commit();
        }),
        _ => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            float[] vector = current();
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, Length);
            vector.CopyTo(editor.Values);
            value = editor.Commit();
        }),
    };

    /// <summary>127 x of the normalised vector, to nearest, ties to even.</summary>
    public static void ToInt8(ReadOnlySpan<float> vector, Span<sbyte> codes)
    {
        double norm = 0;
        foreach (float value in vector)
        {
            norm += (double)value * value;
        }
        double scale = norm == 0 ? 0 : 127 / Math.Sqrt(norm);
        for (int i = 0; i < vector.Length; i++)
        {
            codes[i] = (sbyte)Math.Clamp(Math.Round(vector[i] * scale, MidpointRounding.ToEven), -127, 127);
        }
    }

    /// <summary>Sign bits, most significant first.</summary>
    public static void ToBinary(ReadOnlySpan<float> vector, Span<byte> bits)
    {
        bits.Clear();
        for (int i = 0; i < vector.Length; i++)
        {
            if (vector[i] > 0)
            {
                bits[i >> 3] |= (byte)(0x80 >> (i & 7));
            }
        }
    }
}
