using System.Text.Json;

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
        using JsonDocument document = JsonFile.Parse(json, where);
        if (JsonFile.Optional(document.RootElement, "model", where) is not { ValueKind: JsonValueKind.Object } model)
        {
            throw new InvalidDataException($"'{where}' has no 'model'. Take the tokenizer.json that belongs to the weights.");
        }
        if (JsonFile.Optional(model, "vocab", where) is not { ValueKind: JsonValueKind.Object } vocabulary)
        {
            throw new NotSupportedException($"'{where}' has no vocabulary of ids by token, as byte-level BPE has. Take the tokenizer.json that belongs to the BLOOM weights.");
        }
        var seen = new HashSet<int>();
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            seen.Add(Id(token.Value, rows, where));
        }
        if (JsonFile.Optional(document.RootElement, "added_tokens", where) is { } added)
        {
            JsonFile.Require(added, JsonValueKind.Array, $"{where}: added_tokens");
            foreach (JsonElement token in added.EnumerateArray())
            {
                if (JsonFile.Optional(token, "id", $"{where}: added_tokens") is { } id)
                {
                    seen.Add(Id(id, rows, where));
                }
            }
        }
        if (seen.Count < rows / 2)
        {
            throw new InvalidDataException($"'{where}' has {seen.Count} tokens for an embedding table of {rows} rows: it is the tokenizer of another vocabulary. Take the one that belongs to the weights.");
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
