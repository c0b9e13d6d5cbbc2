using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>Reads one column of sentence vectors, in any of the precisions they are stored in, as double.</summary>
/// <remarks>
/// <c>Single</c> and <c>Double</c> are taken as they are, <c>SByte</c> is the code of an int8 vector (its common scale changes no correlation),
/// <c>Byte</c> holds eight sign bits, most significant first, each read as +1 or -1.
/// </remarks>
internal abstract class VectorColumn
{
    private protected double[] Vector { get; set; } = [];

    /// <summary>Makes the reader of a cursor's current vector.</summary>
    /// <param name="cursor">A cursor in which the column is active.</param>
    /// <param name="column">The column.</param>
    /// <exception cref="ArgumentException">The column does not hold vectors of a type listed above.</exception>
    public static VectorColumn Reader(DataViewRow cursor, DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType { ItemType: NumberDataViewType item })
        {
            switch (Type.GetTypeCode(item.RawType))
            {
                case TypeCode.Single:
                    return new Elements<float>(cursor, column, value => value);
                case TypeCode.Double:
                    return new Elements<double>(cursor, column, value => value);
                case TypeCode.SByte:
                    return new Elements<sbyte>(cursor, column, value => value);
                case TypeCode.Byte:
                    return new SignBits(cursor, column);
            }
        }
        throw new ArgumentException(
            $"Schema mismatch for embedding column '{column.Name}': expected a vector of Single (or of SByte or Byte, where the vectors are stored as int8 or as sign bits), got {column.Type}. Name a column made by ApplySentenceEmbedding.");
    }

    /// <summary>Vector of the current row; overwritten by the next call.</summary>
    public abstract ReadOnlySpan<double> Read();

    private sealed class Elements<T>(DataViewRow cursor, DataViewSchema.Column column, Func<T, double> convert) : VectorColumn
    {
        private readonly ValueGetter<VBuffer<T>> _getter = cursor.GetGetter<VBuffer<T>>(column);
        private VBuffer<T> _buffer;

        public override ReadOnlySpan<double> Read()
        {
            _getter(ref _buffer);
            if (Vector.Length != _buffer.Length)
            {
                Vector = new double[_buffer.Length];
            }
            ReadOnlySpan<T> values = _buffer.GetValues();
            if (_buffer.IsDense)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    Vector[i] = convert(values[i]);
                }
                return Vector;
            }
            Array.Clear(Vector);
            ReadOnlySpan<int> indices = _buffer.GetIndices();
            for (int i = 0; i < values.Length; i++)
            {
                Vector[indices[i]] = convert(values[i]);
            }
            return Vector;
        }
    }

    private sealed class SignBits(DataViewRow cursor, DataViewSchema.Column column) : VectorColumn
    {
        private readonly ValueGetter<VBuffer<byte>> _getter = cursor.GetGetter<VBuffer<byte>>(column);
        private VBuffer<byte> _buffer;
        private byte[] _packed = [];

        public override ReadOnlySpan<double> Read()
        {
            _getter(ref _buffer);
            if (_packed.Length != _buffer.Length)
            {
                _packed = new byte[_buffer.Length];
                Vector = new double[checked(8 * _buffer.Length)];
            }
            _buffer.CopyTo(_packed);
            for (int bit = 0; bit < Vector.Length; bit++)
            {
                Vector[bit] = ((_packed[bit >> 3] >> (7 - (bit & 7))) & 1) == 1 ? 1 : -1;
            }
            return Vector;
        }
    }
}
