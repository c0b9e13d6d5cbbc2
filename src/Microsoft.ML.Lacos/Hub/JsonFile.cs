using System.Text.Json;
using System.Text.Unicode;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Hub;

/// <summary>Reads the small JSON files of a model folder; every fault becomes an <see cref="InvalidDataException"/> that names the file and the key.</summary>
internal static class JsonFile
{
    // A path and a key.
    private const int LongestPlace = 600;

    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>Opens a file of a model folder.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static JsonDocument Open(string path) => Parse(Read(path), path);

    /// <summary>Content of a file of a model folder.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static byte[] Read(string path) => File.Exists(path)
        ? JsonLimits.ReadFile(path, JsonLimits.LargestConfig)
        : throw new FileNotFoundException($"'{path}' does not exist, and the model needs it. Fetch the whole model folder.", path);

    /// <summary>Parses JSON without duplicate names and not too much of it, with or without a byte-order mark.</summary>
    public static JsonDocument Parse(byte[] json, string where)
    {
        try
        {
            ReadOnlyMemory<byte> content = Content(json, where);
            JsonLimits.RequireTokens(content.Span, JsonLimits.MostConfigTokens, where);
            return JsonDocument.Parse(content, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw Invalid(error, where);
        }
    }

    /// <summary>A file's JSON without its byte-order mark.</summary>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static ReadOnlyMemory<byte> Content(byte[] json, string where)
    {
        ReadOnlyMemory<byte> content = json.AsSpan().StartsWith(ByteOrderMark) ? json.AsMemory(ByteOrderMark.Length) : json;
        return Utf8.IsValid(content.Span) ? content : throw new InvalidDataException($"'{where}' is not UTF-8. Fetch it again.");
    }

    /// <summary>The fault of a file that no JSON reader accepts.</summary>
    public static InvalidDataException Invalid(Exception error, string where) => new($"'{where}' is not valid JSON: {TextInMessage.Of(error.Message)} Fetch it again.", error);

    /// <summary>An object of strings.</summary>
    public static Dictionary<string, string> Strings(byte[] json, string where)
    {
        using JsonDocument document = Parse(json, where);
        return Strings(document.RootElement, where);
    }

    /// <summary>An object of strings.</summary>
    public static Dictionary<string, string> Strings(JsonElement element, string where)
    {
        Require(element, JsonValueKind.Object, where);
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = Name(property, where);
            result[name] = String(element, name, where) ?? throw Wrong(property.Value, $"{where}: {name}", "a string");
        }
        return result;
    }

    /// <summary>A property's name.</summary>
    public static string Name(JsonProperty property, string where) => Valid(() => property.Name, where);

    /// <summary>An optional string; <see langword="null"/> when missing or null.</summary>
    public static string? String(JsonElement element, string key, string where) => Optional(element, key, where) switch
    {
        null => null,
        { } value => Text(value, $"{where}: {key}"),
    };

    /// <summary>A string.</summary>
    public static string Text(JsonElement value, string where) => value.ValueKind == JsonValueKind.String
        ? Valid(() => value.GetString()!, where)
        : throw Wrong(value, where, "a string");

    /// <summary>An optional flag; <see langword="null"/> when missing or null.</summary>
    public static bool? Flag(JsonElement element, string key, string where) => Optional(element, key, where) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(value, $"{where}: {key}", "true or false"),
    };

    /// <summary>An optional whole number; <see langword="null"/> when missing or null.</summary>
    public static int? Integer(JsonElement element, string key, string where) => Optional(element, key, where) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int number) => number,
        { } value => throw Wrong(value, $"{where}: {key}", "a whole number"),
    };

    /// <summary>An optional value of any kind; <see langword="null"/> when missing or null.</summary>
    public static JsonElement? Optional(JsonElement element, string key, string where)
    {
        Require(element, JsonValueKind.Object, where);
        return element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Refuses a value of another kind.</summary>
    public static void Require(JsonElement element, JsonValueKind kind, string where)
    {
        if (element.ValueKind != kind)
        {
            throw Wrong(element, where, kind == JsonValueKind.Object ? "an object" : "a list");
        }
    }

    /// <summary>The fault of a value of another kind.</summary>
    public static InvalidDataException Wrong(JsonElement value, string where, string expected) =>
        new($"'{TextInMessage.Of(where, LongestPlace)}' is {TextInMessage.Of(value.GetRawText(), 60)}, expected {expected}. Correct the file or fetch it again.");

    // A string with half a surrogate pair or broken UTF-8 is found only when it is read.
    private static string Valid(Func<string> read, string where)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidDataException($"'{TextInMessage.Of(where, LongestPlace)}' holds text that is not Unicode: {TextInMessage.Of(error.Message)} Correct the file or fetch it again.", error);
        }
    }
}
