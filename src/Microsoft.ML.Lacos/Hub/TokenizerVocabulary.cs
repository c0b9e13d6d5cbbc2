using System.Collections;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;
using Microsoft.ML.Lacos.Tokenization;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Tells whether a <c>tokenizer.json</c> can belong to an embedding table.</summary>
/// <remarks>
/// Every id must have a row. A table may have more rows than the tokenizer has ids (BLOOM pads 250,680 to 250,880), but a tokenizer that names fewer than half of the rows
/// is taken for another model's: its ids would be valid and their vectors wrong.
/// </remarks>
internal static class TokenizerVocabulary
{
    /// <summary>Checks a tokenizer.</summary>
    /// <param name="json">Content of the file.</param>
    /// <param name="rows">Rows of the embedding table.</param>
    /// <param name="where">Name for messages.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or its vocabulary is another model's.</exception>
    /// <exception cref="NotSupportedException">The tokenizer has no vocabulary of ids by token, as other kinds than BPE.</exception>
    public static void Check(byte[] json, int rows, string where)
    {
        TokenizerSections sections = Sections(json, where);
        using JsonDocument document = JsonFile.Parse(sections.Rest, where);
        if (JsonFile.Optional(document.RootElement, "model", where) is not { ValueKind: JsonValueKind.Object } model)
        {
            throw new InvalidDataException($"'{where}' has no 'model'. Take the tokenizer.json that belongs to the weights.");
        }
        if (JsonFile.Optional(model, "vocab", where) is not { ValueKind: JsonValueKind.Object })
        {
            throw new NotSupportedException($"'{where}' has no vocabulary of ids by token, as byte-level BPE has. Take the tokenizer.json that belongs to the BLOOM weights.");
        }
        var seen = new BitArray(rows);
        int count = MarkVocabulary(sections.Vocabulary, seen, where);
        if (JsonFile.Optional(document.RootElement, "added_tokens", where) is { } added)
        {
            JsonFile.Require(added, JsonValueKind.Array, $"{where}: added_tokens");
            foreach (JsonElement token in added.EnumerateArray())
            {
                if (JsonFile.Optional(token, "id", $"{where}: added_tokens") is { } id)
                {
                    count += Mark(seen, Id(id, rows, where));
                }
            }
        }
        if (count < rows / 2)
        {
            throw new InvalidDataException($"'{where}' has {count} tokens for an embedding table of {rows} rows: it is the tokenizer of another vocabulary. Take the one that belongs to the weights.");
        }
    }

    /// <summary>The vocabulary, the merges, and the rest, which is small.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static TokenizerSections Sections(byte[] json, string where)
    {
        ReadOnlyMemory<byte> content = JsonFile.Content(json, where);
        try
        {
            return TokenizerSections.Find(content.Span);
        }
        catch (JsonException error)
        {
            throw JsonFile.Invalid(error, where);
        }
    }

    private static int MarkVocabulary(ReadOnlySpan<byte> json, BitArray seen, string where)
    {
        var names = new Utf8Table(json.Length / 20);
        var reader = new Utf8JsonReader(json);
        int count = 0;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!names.TryAdd(Name(ref reader, where)))
            {
                throw new InvalidDataException($"'{where}' is not valid JSON: its vocabulary has the token '{TextInMessage.Of(reader.GetString()!)}' twice. Fetch it again.");
            }
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id) || id < 0 || id >= seen.Length)
            {
                if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
                {
                    throw new InvalidDataException($"'{where}: id of a token' is a list or an object, expected a whole number from 0. Correct the file or fetch it again.");
                }
                using JsonDocument value = JsonDocument.ParseValue(ref reader);
                id = Id(value.RootElement, seen.Length, where);
            }
            count += Mark(seen, id);
        }
        return count;
    }

    private static int Mark(BitArray seen, int id)
    {
        bool isNew = !seen[id];
        seen[id] = true;
        return isNew ? 1 : 0;
    }

    private static ReadOnlySpan<byte> Name(ref Utf8JsonReader reader, string where)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }
        try
        {
            return Encoding.UTF8.GetBytes(reader.GetString()!);
        }
        catch (InvalidOperationException error)
        {
            throw JsonFile.Invalid(error, where);
        }
    }

    private static int Id(JsonElement value, int rows, string where)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int id) || id < 0)
        {
            throw JsonFile.Wrong(value, $"{where}: id of a token", "a whole number from 0");
        }
        return id < rows
            ? id
            : throw new InvalidDataException($"'{where}' has the token id {id}, the embedding table {rows} rows: it is the tokenizer of another vocabulary. Take the one that belongs to the weights.");
    }
}
