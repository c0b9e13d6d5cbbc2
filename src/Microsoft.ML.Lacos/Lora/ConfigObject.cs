using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Lora;

/// <summary>Values of a JSON object by key, with an error that names key, value and kind where one is not what it should be. An absent key and null are the same.</summary>
internal sealed class ConfigObject(JsonElement root, string source)
{
    /// <summary>Largest rank believed; beyond it an adapter would be larger than any layer it adapts.</summary>
    private const int LargestRank = 1 << 20;

    /// <summary>Name for messages.</summary>
    public string Source => source;

    /// <summary>Text; <see langword="null"/> where absent.</summary>
    public string? Text(string key) => Find(key) is not { } value ? null : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, value, "a string or null");

    /// <summary>Text; <see langword="null"/> where absent or of another kind.</summary>
    public string? TextOrNothing(string key) => Find(key) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>Whether a setting says anything: present, and neither false, 0 nor empty.</summary>
    public bool IsSet(string key) => Find(key) is { } value && value.ValueKind switch
    {
        JsonValueKind.False => false,
        JsonValueKind.Number => value.GetRawText() is not ("0" or "0.0"),
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };

    /// <summary>A finite number.</summary>
    public double Number(string key, double otherwise) => Find(key) is { } value ? NumberValue(key, value) : otherwise;

    /// <summary>A rank: 1 or more.</summary>
    public int Rank(string key, int otherwise) => Find(key) is { } value ? RankValue(key, value) : otherwise;

    /// <summary>Reads a finite number.</summary>
    public double NumberValue(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Wrong(key, value, "a number");

    /// <summary>Reads a rank.</summary>
    public int RankValue(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int rank) && rank is > 0 and <= LargestRank ? rank : throw Wrong(key, value, $"a whole number from 1 to {LargestRank}");

    /// <summary>One integer or several; <see langword="null"/> where absent.</summary>
    public IReadOnlyList<int>? Integers(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(element => Integer(key, element))] : [Integer(key, value)];
    }

    /// <summary>A list of names, or a string that is a pattern; two nulls where absent.</summary>
    public (IReadOnlyList<string>? Names, string? Pattern) NamesOrPattern(string key) => Find(key) switch
    {
        null => (null, null),
        { ValueKind: JsonValueKind.String } value => (null, value.GetString()),
        { ValueKind: JsonValueKind.Array } value => ([.. value.EnumerateArray().Select(element => element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Wrong(key, element, "a string"))], null),
        { } value => throw Wrong(key, value, "a list of strings, a string or null"),
    };

    /// <summary>The members of an object, in order; none where absent.</summary>
    public IReadOnlyList<KeyValuePair<string, T>> Pairs<T>(string key, Func<string, JsonElement, T> read)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }
        return value.ValueKind == JsonValueKind.Object
            ? [.. value.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, read($"{key}.{member.Name}", member.Value)))]
            : throw Wrong(key, value, "an object or null");
    }

    private int Integer(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Wrong(key, value, "a whole number");

    private JsonElement? Find(string key) => root.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private InvalidDataException Wrong(string key, JsonElement value, string expected) =>
        new($"'{TextInMessage.Of(key)}' in '{source}' is {TextInMessage.Of(value.GetRawText(), 80)}, expected {expected}. Fetch or save the adapter again.");
}
