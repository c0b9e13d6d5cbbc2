using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>Values of a JSON object by key, with an error that names key, value and kind where one is missing or is not what it should be.</summary>
internal sealed class ManifestObject
{
    private readonly JsonElement _json;
    private readonly string _where;

    /// <param name="json">The object.</param>
    /// <param name="where">Name for messages.</param>
    /// <exception cref="InvalidDataException">It is no object.</exception>
    public ManifestObject(JsonElement json, string where) =>
        (_json, _where) = (json.ValueKind == JsonValueKind.Object ? json : throw Wrong(json, where, "an object"), where);

    /// <summary>Parses a file without duplicate names and not too much of it.</summary>
    /// <exception cref="InvalidDataException">It is not JSON.</exception>
    public static JsonDocument Parse(byte[] json, string where)
    {
        try
        {
            JsonLimits.RequireTokens(json, JsonLimits.MostConfigTokens, where);
            return JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{where}' is not valid JSON: {TextInMessage.Of(error.Message)}", error);
        }
    }

    /// <summary>Whether a value is there and not null.</summary>
    public bool Has(string key) => _json.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A whole number of 64 bits.</summary>
    public long Whole(string key) => Find(key, JsonValueKind.Number, "a whole number") is var value && value.TryGetInt64(out long number) ? number : throw Wrong(value, Of(key), "a whole number");

    /// <summary>A whole number of 32 bits from 0.</summary>
    public int Count(string key) => Whole(key) is >= 0 and <= int.MaxValue and long number ? (int)number : throw Wrong(_json.GetProperty(key), Of(key), $"a whole number from 0 to {int.MaxValue}");

    /// <summary>A finite number.</summary>
    public double Number(string key) =>
        Find(key, JsonValueKind.Number, "a number") is var value && value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Wrong(value, Of(key), "a finite number");

    /// <summary>True or false.</summary>
    public bool Flag(string key) => Find(key, null, "true or false") is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : throw Wrong(_json.GetProperty(key), Of(key), "true or false");

    /// <summary>Text.</summary>
    public string Text(string key) => Valid(Find(key, JsonValueKind.String, "a text").GetString, Of(key));

    /// <summary>A list of objects.</summary>
    public IReadOnlyList<ManifestObject> Objects(string key) =>
        [.. Find(key, JsonValueKind.Array, "a list").EnumerateArray().Select((element, index) => new ManifestObject(element, Of($"{key}[{index.ToString(CultureInfo.InvariantCulture)}]")))];

    /// <summary>An object of texts.</summary>
    public IReadOnlyDictionary<string, string> Texts(string key)
    {
        var members = new ManifestObject(Find(key, JsonValueKind.Object, "an object of texts"), Of(key));
        return members._json.EnumerateObject().Select(member => Valid(() => member.Name, Of(key))).ToDictionary(name => name, members.Text, StringComparer.Ordinal);
    }

    private JsonElement Find(string key, JsonValueKind? kind, string expected)
    {
        if (!_json.TryGetProperty(key, out JsonElement value))
        {
            throw new InvalidDataException($"'{TextInMessage.Of(Of(key))}' is missing.");
        }
        return kind is null || value.ValueKind == kind ? value : throw Wrong(value, Of(key), expected);
    }

    private string Of(string key) => $"{_where}: {key}";

    // Half a surrogate pair is found only when a text is read.
    private static string Valid(Func<string?> read, string where)
    {
        try
        {
            return read()!;
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException($"'{TextInMessage.Of(where)}' holds text that is not Unicode.", error);
        }
    }

    private static InvalidDataException Wrong(JsonElement value, string where, string expected) =>
        new($"'{TextInMessage.Of(where)}' is {TextInMessage.Of(value.GetRawText(), 60)}, expected {expected}.");
}
