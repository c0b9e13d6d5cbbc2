namespace Lacos.Cli.Input.Parquet;

/// <summary>What may stand at a place of Parquet's metadata, after <c>parquet.thrift</c> of Apache Parquet.</summary>
/// <remarks>
/// Hazard: a parser made for the format goes by the number of a field and not by the type that the file gives for it. Of another type than it expects it reads other bytes than there are,
/// which can keep it busy for hours. Fields that are not known here are passed over by their own type, by the parser too.
/// </remarks>
internal sealed class ThriftShape
{
    private static readonly ThriftShape Integer = new(4, ThriftReader.Integer32, ThriftReader.Integer64);
    private static readonly ThriftShape Truth = new(ThriftReader.True, ThriftReader.False);
    private static readonly ThriftShape Byte = new(3);
    private static readonly ThriftShape Real = new(7);
    private static readonly ThriftShape Text = new(8);
    private static readonly ThriftShape Empty = Structure();

    private static readonly ThriftShape Statistics = Structure(Text, Text, Integer, Integer, Text, Text, Truth, Truth);
    private static readonly ThriftShape KeyValues = List(Structure(Text, Text));
    private static readonly ThriftShape Time = Structure(Truth, Structure(Empty, Empty, Empty));

    private static readonly ThriftShape LogicalType = Structure(
        Empty, Empty, Empty, Empty, Structure(Integer, Integer), Empty, Time, Time, null, Structure(Byte, Truth), Empty, Empty, Empty, Empty, Empty, Structure(Byte), Structure(Text), Structure(Text, Integer));

    private static readonly ThriftShape Column = Structure(
        Integer, List(Integer), List(Text), Integer, Integer, Integer, Integer, KeyValues, Integer, Integer, Integer, Statistics, List(Structure(Integer, Integer, Integer)), Integer, Integer,
        Structure(Integer, List(Integer), List(Integer)), Structure(Structure(Real, Real, Real, Real, Real, Real, Real, Real), List(Integer)));

    private static readonly ThriftShape Chunk = Structure(Text, Integer, Column, Integer, Integer, Integer, Integer, Structure(Empty, Structure(List(Text), Text)), Text);
    private static readonly ThriftShape RowGroup = Structure(List(Chunk), Integer, Integer, List(Structure(Integer, Truth, Truth)), Integer, Integer, Integer);
    private static readonly ThriftShape SchemaElement = Structure(Integer, Integer, Integer, Text, Integer, Integer, Integer, Integer, Integer, LogicalType);
    private static readonly ThriftShape Encryption = Structure(Text, Text, Truth);

    private readonly int[] _types;
    private readonly ThriftShape?[] _fields = [];

    private ThriftShape(params int[] types) => _types = types;

    private ThriftShape(int type, ThriftShape?[] fields) => (_types, _fields) = ([type], fields);

    /// <summary>The metadata at the end of a file.</summary>
    public static ThriftShape File { get; } = Structure(
        Integer, List(SchemaElement), Integer, List(RowGroup), KeyValues, Text, List(Structure(Empty)), Structure(Encryption, Encryption), Text);

    /// <summary>What stands before a page.</summary>
    public static ThriftShape Page { get; } = Structure(
        Integer, Integer, Integer, Integer, Structure(Integer, Integer, Integer, Integer, Statistics), Empty, Structure(Integer, Integer, Truth),
        Structure(Integer, Integer, Integer, Integer, Integer, Integer, Truth, Statistics));

    /// <summary>What an element of a list may be.</summary>
    public ThriftShape Element => _fields[0]!;

    /// <summary>Whether a value of the type may stand here.</summary>
    public bool Allows(int type) => _types.Contains(type);

    /// <summary>What a field may be; <see langword="null"/> where its number is not known.</summary>
    public ThriftShape? Field(int number) => number >= 1 && number <= _fields.Length ? _fields[number - 1] : null;

    private static ThriftShape List(ThriftShape element) => new(ThriftReader.List, [element]);

    // The fields in order, from number 1.
    private static ThriftShape Structure(params ThriftShape?[] fields) => new(ThriftReader.Structure, fields);
}
