using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>Values of a JSON object by key, none of which may be missing unless asked for with <see cref="Has"/>; the errors are those of <see cref="JsonFile"/>.</summary>
internal sealed class ManifestObject
{
    private readonly JsonElement _json;
    private readonly string _where;

    /// <param name="json">The object.</param>
    /// <param name="where">Name for messages.</param>
    /// <exception cref="InvalidDataException">It is no object.</exception>
    public ManifestObject(JsonElement json, string where)
    {
        JsonFile.Require(json, JsonValueKind.Object, where);
        (_json, _where) = (json, where);
    }

    /// <summary>Whether a value is there and not null.</summary>
    public bool Has(string key) => JsonFile.Optional(_json, key, _where) is not null;

    /// <summary>A whole number of 64 bits.</summary>
    public long Whole(string key) => Find(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long number) ? number : throw Wrong(key, "a whole number");

    /// <summary>A whole number of 32 bits from 0.</summary>
    public int Count(string key) => Whole(key) is >= 0 and <= int.MaxValue and long number ? (int)number : throw Wrong(key, $"a whole number from 0 to {int.MaxValue}");

    /// <summary>A finite number.</summary>
    public double Number(string key) => Find(key) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Wrong(key, "a finite number");

    /// <summary>True or false.</summary>
    public bool Flag(string key) => Find(key) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : throw Wrong(key, "true or false");

    /// <summary>Text.</summary>
    public string Text(string key) => JsonFile.Text(Find(key), Of(key));

    /// <summary>A list of objects.</summary>
    public IReadOnlyList<ManifestObject> Objects(string key)
    {
        JsonFile.Require(Find(key), JsonValueKind.Array, Of(key));
        return [.. Find(key).EnumerateArray().Select((element, index) => new ManifestObject(element, Of($"{key}[{index.ToString(CultureInfo.InvariantCulture)}]")))];
    }

    /// <summary>An object of texts.</summary>
    public IReadOnlyDictionary<string, string> Texts(string key) => JsonFile.Strings(Find(key), Of(key));

    private JsonElement Find(string key) => _json.TryGetProperty(key, out JsonElement value) ? value : throw new InvalidDataException($"'{TextInMessage.Of(Of(key))}' is missing.");

    private InvalidDataException Wrong(string key, string expected) => JsonFile.Wrong(Find(key), Of(key), expected);

    private string Of(string key) => $"{_where}: {key}";
}
