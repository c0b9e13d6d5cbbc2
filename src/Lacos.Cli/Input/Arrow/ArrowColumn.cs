using System.Globalization;
using System.Text;
using Apache.Arrow;

namespace Lacos.Cli.Input.Arrow;

/// <summary>Reads the columns of a record batch.</summary>
internal static class ArrowColumn
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private delegate ReadOnlySpan<byte> BytesOf(int row, out bool isNull);

    /// <summary>The values of a column.</summary>
    /// <returns><see langword="null"/> where they are neither texts nor numbers.</returns>
    public static ColumnValues? Of(IArrowArray array) => array switch
    {
        StringArray texts => Texts(texts.GetBytes),
        LargeStringArray texts => Texts(texts.GetBytes),
        StringViewArray texts => Texts(texts.GetBytes),
        DictionaryArray coded => OfDictionary(coded),
        NullArray => new Values(_ => null),
        HalfFloatArray numbers => Numbers(numbers),
        FloatArray numbers => Numbers(numbers),
        DoubleArray numbers => Numbers(numbers),
        _ => Integers(array) is { } integers ? new Values(row => integers(row)?.ToString(CultureInfo.InvariantCulture)) : null,
    };

    private static Values Texts(BytesOf bytes) => new(row =>
    {
        ReadOnlySpan<byte> text = bytes(row, out bool isNull);
        return isNull ? null : Strict.GetString(text);
    });

    private static Values Numbers<T>(PrimitiveArray<T> array)
        where T : struct, IFormattable, IEquatable<T> => new(row => array.GetValue(row)?.ToString(null, CultureInfo.InvariantCulture));

    // By the exact type: dates and times are kept in integers, too.
    private static Func<int, Int128?>? Integers(IArrowArray array) => array switch
    {
        Int8Array values => row => values.GetValue(row),
        Int16Array values => row => values.GetValue(row),
        Int32Array values => row => values.GetValue(row),
        Int64Array values => row => values.GetValue(row),
        UInt8Array values => row => values.GetValue(row),
        UInt16Array values => row => values.GetValue(row),
        UInt32Array values => row => values.GetValue(row),
        UInt64Array values => row => values.GetValue(row),
        _ => null,
    };

    private static Coded? OfDictionary(DictionaryArray array) => Of(array.Dictionary) is ColumnValues values
        ? new Coded(Integers(array.Indices) ?? throw new InvalidDataException("a dictionary's indices are no integers"), values, array.Dictionary.Length)
        : null;

    // What lies outside its buffer, as an offset or a bitmap too short may say, is an error of the parser.
    private static T Within<T>(Func<int, T> value, int row)
    {
        try
        {
            return value(row);
        }
        catch (Exception error) when (error is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException(error is DecoderFallbackException ? "a text that is not valid UTF-8" : "a value outside its batch", error);
        }
    }

    private sealed class Values(Func<int, string?> text) : ColumnValues
    {
        public override string? this[int row] => Within(text, row);
    }

    private sealed class Coded(Func<int, Int128?> indices, ColumnValues values, int count) : ColumnValues
    {
        private readonly Dictionary<int, string?> _texts = [];

        public override string? this[int row]
        {
            get
            {
                if (Within(indices, row) is not Int128 index)
                {
                    return null;
                }
                if (index < 0 || index >= count)
                {
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"entry {index} of a dictionary of {count}"));
                }
                if (!_texts.TryGetValue((int)index, out string? text))
                {
                    text = values[(int)index];
                    _texts.Add((int)index, text);
                }
                return text;
            }
        }
    }
}
