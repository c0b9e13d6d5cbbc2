using System.Text.Json;

namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>A <c>tokenizer.json</c> taken apart: where its vocabulary and its merges lie, and the small rest.</summary>
/// <remarks>The two lists are nearly all of the file (14 MB for BLOOM). They are read entry by entry where they lie; only the rest is worth a <see cref="JsonDocument"/>.</remarks>
internal readonly ref struct TokenizerSections
{
    private TokenizerSections(ReadOnlySpan<byte> vocabulary, ReadOnlySpan<byte> merges, byte[] rest)
    {
        Vocabulary = vocabulary;
        Merges = merges;
        Rest = rest;
    }

    /// <summary>Text of <c>model.vocab</c> where that is an object; else empty.</summary>
    public ReadOnlySpan<byte> Vocabulary { get; }

    /// <summary>Text of <c>model.merges</c> where that is a list; else empty.</summary>
    public ReadOnlySpan<byte> Merges { get; }

    /// <summary>The file with an empty object or list in place of those two. A list of merges that holds objects, which no valid one does, is left in.</summary>
    public byte[] Rest { get; }

    /// <summary>Takes a file apart.</summary>
    /// <param name="json">The whole file, without a byte-order mark. Of a member named twice the last counts, as for <see cref="JsonElement.TryGetProperty(string, out JsonElement)"/>.</param>
    /// <exception cref="JsonException">It is not one JSON value.</exception>
    public static TokenizerSections Find(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> vocabulary = default;
        ReadOnlySpan<byte> merges = default;
        using var rest = new MemoryStream();
        int kept = 0;
        bool inModel = false;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth > 2)
            {
                continue;
            }
            if (reader.CurrentDepth == 1)
            {
                inModel = reader.ValueTextEquals("model"u8);
                continue;
            }
            bool isVocabulary = reader.ValueTextEquals("vocab"u8);
            if (!inModel || (!isVocabulary && !reader.ValueTextEquals("merges"u8)))
            {
                continue;
            }
            reader.Read();
            bool isList = reader.TokenType == JsonTokenType.StartArray;
            if (isVocabulary ? reader.TokenType != JsonTokenType.StartObject : !isList)
            {
                // Of the wrong kind: left in the rest, where that is found out.
                ReadOnlySpan<byte> none = default;
                vocabulary = isVocabulary ? none : vocabulary;
                merges = isVocabulary ? merges : none;
                reader.Skip();
                continue;
            }
            int start = (int)reader.TokenStartIndex;
            bool holdsObjects = isList ? SkipList(ref reader) : SkipObject(ref reader);
            int end = (int)reader.BytesConsumed;
            if (isVocabulary)
            {
                vocabulary = json[start..end];
            }
            else
            {
                merges = json[start..end];
            }
            if (!holdsObjects)
            {
                rest.Write(json[kept..(start + 1)]);
                kept = end - 1;
            }
        }
        rest.Write(json[kept..]);
        return new TokenizerSections(vocabulary, merges, rest.ToArray());
    }

    private static bool SkipObject(ref Utf8JsonReader reader)
    {
        reader.Skip();
        return false;
    }

    private static bool SkipList(ref Utf8JsonReader reader)
    {
        bool holdsObjects = false;
        int depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            holdsObjects |= reader.TokenType == JsonTokenType.StartObject;
        }
        return holdsObjects;
    }
}
