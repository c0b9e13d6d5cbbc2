using System.Globalization;

namespace Lacos.Cli.Input.Arrow;

/// <summary>What an Arrow schema says of the batches that follow: how many nodes and buffers each has.</summary>
/// <param name="Columns">Of a batch of rows.</param>
/// <param name="Dictionaries">Of a batch of a dictionary's values, by the dictionary's number.</param>
internal sealed record ArrowSchema(ArrowLayout Columns, IReadOnlyDictionary<long, ArrowLayout> Dictionaries)
{
    // A parser calls itself for each field in a field, and makes objects of all of them.
    private const int Deepest = 32;
    private const int MostFields = 10_000;
    private const int MostTextBytes = 1 << 26;

    /// <summary>Reads a schema.</summary>
    /// <exception cref="InvalidDataException">It is damaged or too large; the message is a clause about the file.</exception>
    public static ArrowSchema Of(FlatTable schema)
    {
        if (schema.Short(0) != 0)
        {
            throw new InvalidDataException("its numbers are big-endian, which are not read; write it on a machine that is little-endian");
        }
        var walk = new Walk();
        ArrowLayout columns = walk.Fields(schema, 1, 0);
        walk.Metadata(schema, 2);
        return new ArrowSchema(columns, walk.Dictionaries);
    }

    private sealed class Walk
    {
        private int _fields;
        private long _textBytes;

        public Dictionary<long, ArrowLayout> Dictionaries { get; } = [];

        public ArrowLayout Fields(FlatTable parent, int vector, int depth)
        {
            ArrowLayout sum = default;
            int count = parent.TableCount(vector);
            for (int i = 0; i < count; i++)
            {
                sum += Field(parent.TableAt(vector, i), depth + 1);
            }
            return sum;
        }

        public void Metadata(FlatTable owner, int vector)
        {
            int count = owner.TableCount(vector);
            for (int i = 0; i < count; i++)
            {
                FlatTable entry = owner.TableAt(vector, i);
                CountText(entry.Vector(0, 1));
                CountText(entry.Vector(1, 1));
            }
        }

        private ArrowLayout Field(FlatTable field, int depth)
        {
            if (++_fields > MostFields || depth > Deepest)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its schema has more than {MostFields} fields, or more than {Deepest} within one another, which are not read"));
            }
            CountText(field.Vector(0, 1));
            Metadata(field, 6);
            field.TryTable(3, out FlatTable type);
            ArrowLayout layout = ArrowLayout.Of(field.Byte(2), type) + Fields(field, 5, depth);
            if (!field.TryTable(4, out FlatTable encoding))
            {
                return layout;
            }
            Dictionaries[encoding.Long(0)] = layout;
            return ArrowLayout.Indices;
        }

        // Many strings may be the same bytes of the file, and are not in memory.
        private void CountText(ReadOnlySpan<byte> text)
        {
            _textBytes += text.Length + 8;
            if (_textBytes > MostTextBytes)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its schema has more than {MostTextBytes} bytes of names and metadata"));
            }
        }
    }
}
