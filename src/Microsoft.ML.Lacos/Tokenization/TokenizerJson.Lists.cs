using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Lacos.Tokenization;

/// <content>The vocabulary and the merges, read entry by entry as UTF-8.</content>
internal static partial class TokenizerJson
{
    // What an entry takes in BLOOM's file, and a little less: tables that start with too much room are cheaper than tables that grow.
    private const int BytesAnEntry = 20;

    private static TokenVocabulary ReadVocabulary(ReadOnlySpan<byte> json)
    {
        var vocabulary = new TokenVocabulary(json.Length / BytesAnEntry);
        var reader = new Utf8JsonReader(json);
        byte[] room = [];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<byte> spelling = TextOf(ref reader, ref room);
            reader.Read();
            int id = -1;
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out id) || id < 0 || id >= IdLimit)
            {
                throw InvalidId(Encoding.UTF8.GetString(spelling), RawText(ref reader, json));
            }
            if (!vocabulary.TryAdd(spelling, id))
            {
                string token = Shorten(Encoding.UTF8.GetString(spelling));
                throw vocabulary.Find(spelling) >= 0
                    ? Invalid($"has the token '{token}' twice in its vocabulary")
                    : Invalid($"gives the id {id} to both '{Shorten(vocabulary.Text(id))}' and '{token}'");
            }
        }
        return vocabulary.Count > 0 ? vocabulary : throw Invalid("has an empty vocabulary");
    }

    private static MergeTable ReadMerges(ReadOnlySpan<byte> json, TokenVocabulary vocabulary)
    {
        var merges = new MergeTable(json.Length / BytesAnEntry);
        var reader = new Utf8JsonReader(json);
        byte[] room = [];
        byte[] pair = [];
        reader.Read();
        // A pair named twice has the later place, as in the reference.
        for (int rank = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; rank++)
        {
            int leftLength;
            int length;
            if (reader.TokenType == JsonTokenType.String)
            {
                ReadOnlySpan<byte> text = TextOf(ref reader, ref room);
                if (text.StartsWith("#version"u8))
                {
                    continue;
                }
                length = CopySides(text, ref pair, out leftLength);
            }
            else
            {
                length = CopySides(ref reader, ref room, ref pair, out leftLength);
            }
            if (leftLength <= 0 || leftLength >= length)
            {
                throw InvalidMerge(RawText(ref reader, json));
            }
            AddMerge(merges, vocabulary, pair.AsSpan(0, length), leftLength, rank);
        }
        return merges;
    }

    private static void AddMerge(MergeTable merges, TokenVocabulary vocabulary, ReadOnlySpan<byte> joined, int leftLength, int rank)
    {
        ReadOnlySpan<byte> left = joined[..leftLength];
        ReadOnlySpan<byte> right = joined[leftLength..];
        int leftId = vocabulary.Find(left);
        int rightId = vocabulary.Find(right);
        int product = vocabulary.Find(joined);
        if (leftId < 0 || rightId < 0 || product < 0)
        {
            string missing = Encoding.UTF8.GetString(leftId < 0 ? left : rightId < 0 ? right : joined);
            throw Invalid($"has the merge '{Shorten(Encoding.UTF8.GetString(left))}' + '{Shorten(Encoding.UTF8.GetString(right))}', but '{Shorten(missing)}' is not in its vocabulary");
        }
        merges.Add(leftId, rightId, rank, product);
    }

    // Both sides one behind the other, and their length; a left length of 0 where there is not exactly one space.
    private static int CopySides(ReadOnlySpan<byte> text, ref byte[] pair, out int leftLength)
    {
        int space = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> right = text[(space + 1)..];
        leftLength = right.Contains((byte)' ') ? 0 : Copy(text[..Math.Max(0, space)], ref pair, 0);
        return Copy(right, ref pair, leftLength);
    }

    // The same of a list of two texts; a left length of 0 where it is something else, the reader then being where it was.
    private static int CopySides(ref Utf8JsonReader reader, ref byte[] room, ref byte[] pair, out int leftLength)
    {
        leftLength = 0;
        Utf8JsonReader sides = reader;
        if (reader.TokenType != JsonTokenType.StartArray || !sides.Read() || sides.TokenType != JsonTokenType.String)
        {
            return 0;
        }
        int left = Copy(TextOf(ref sides, ref room), ref pair, 0);
        if (!sides.Read() || sides.TokenType != JsonTokenType.String)
        {
            return 0;
        }
        int length = Copy(TextOf(ref sides, ref room), ref pair, left);
        if (!sides.Read() || sides.TokenType != JsonTokenType.EndArray || left == 0 || left == length)
        {
            return 0;
        }
        reader = sides;
        leftLength = left;
        return length;
    }

    private static int Copy(ReadOnlySpan<byte> text, ref byte[] to, int at)
    {
        if (to.Length < at + text.Length)
        {
            Array.Resize(ref to, 2 * (at + text.Length));
        }
        text.CopyTo(to.AsSpan(at));
        return at + text.Length;
    }

    /// <summary>Text of a name or string; of an escaped one in <paramref name="room"/>, until the next call.</summary>
    /// <exception cref="InvalidOperationException">An escape is not valid UTF-16.</exception>
    private static ReadOnlySpan<byte> TextOf(ref Utf8JsonReader reader, ref byte[] room)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }
        if (room.Length < reader.ValueSpan.Length)
        {
            room = new byte[2 * reader.ValueSpan.Length];
        }
        return room.AsSpan(0, reader.CopyString(room));
    }

    private static string RawText(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return Encoding.UTF8.GetString(json[start..(int)reader.BytesConsumed]);
    }

    private static InvalidDataException InvalidMerge(string entry) => Invalid($"has the merge {Shorten(entry)}, where 'left right' or [\"left\", \"right\"] is needed");
}
