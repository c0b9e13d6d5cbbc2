using System.Text.Json;
using System.Text.Unicode;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>The header of a safetensors file: eight bytes of length, then a JSON object of tensors by name.</summary>
/// <remarks>
/// The rules are those of the reference implementation: the tensors in order of their offsets cover the data from its first byte to its last,
/// without gap or overlap, and each is as long as its shape and type say. Source: the safetensors format, https://github.com/huggingface/safetensors.
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header accepted, as in the reference implementation.</summary>
    public const int MaximumLength = 100_000_000;

    /// <summary>Most dimensions of a tensor accepted, as in NumPy.</summary>
    private const int MostDimensions = 64;

    private const string MetadataKey = "__metadata__";

    private SafetensorsHeader(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, SafetensorsEntry> entries)
    {
        Metadata = metadata;
        Entries = entries;
    }

    /// <summary>Free text by key.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Checks the header's length against the file's.</summary>
    /// <param name="length">The first eight bytes, as an unsigned little-endian number.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    /// <param name="source">Name for messages.</param>
    /// <returns>The length.</returns>
    /// <exception cref="InvalidDataException">The header does not fit.</exception>
    public static int CheckedLength(ulong length, long fileLength, string source)
    {
        if (length > MaximumLength)
        {
            throw new InvalidDataException($"'{source}' is no safetensors file: its header claims {length} bytes, at most {MaximumLength} are accepted. Check that the file is what it should be.");
        }
        if (length < 2 || (long)length > fileLength - 8)
        {
            throw new InvalidDataException($"'{source}' is truncated or no safetensors file: its header claims {length} bytes in a file of {fileLength} bytes. Fetch or convert the file again.");
        }
        return (int)length;
    }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="json">The JSON, padding included.</param>
    /// <param name="dataLength">Bytes that follow it.</param>
    /// <param name="source">Name for messages.</param>
    /// <exception cref="InvalidDataException">The header breaks a rule of the format.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength, string source)
    {
        if (json.Span[0] != (byte)'{' || !Utf8.IsValid(json.Span))
        {
            throw new InvalidDataException($"The header of '{source}' is not a JSON object in UTF-8. Fetch or convert the file again.");
        }
        try
        {
            JsonLimits.RequireTokens(json.Span, JsonLimits.MostTensorTokens, source);

            // Duplicate names are refused: two readers of one file could disagree about which of them counts.
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                {
                    ReadMetadata(property.Value, metadata, source);
                }
                else
                {
                    entries.Add(property.Name, ReadEntry(property, dataLength, source));
                }
            }
            CheckCover(entries.Values, dataLength, source);
            return new SafetensorsHeader(metadata, entries);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"The header of '{source}' is not valid: {TextInMessage.Of(error.Message)} Fetch or convert the file again.", error);
        }
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata, string source)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{MetadataKey}' of '{source}' is {value.ValueKind}, expected an object of strings.");
        }
        foreach (JsonProperty property in value.EnumerateObject())
        {
            metadata[property.Name] = property.Value.ValueKind == JsonValueKind.String
                ? property.Value.GetString()!
                : throw new InvalidDataException($"'{MetadataKey}.{TextInMessage.Of(property.Name)}' of '{source}' is {property.Value.ValueKind}, expected a string.");
        }
    }

    private static SafetensorsEntry ReadEntry(JsonProperty property, long dataLength, string source)
    {
        string where = $"Tensor '{TextInMessage.Of(property.Name)}' of '{source}'";
        JsonElement value = property.Value;
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out JsonElement shape) || shape.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
        {
            throw new InvalidDataException($"{where} lacks a 'dtype', a 'shape' or a 'data_offsets' of two numbers. Convert the file again.");
        }
        string typeName = dtype.GetString()!;
        if (!Enum.TryParse(typeName, out SafetensorsDType type) || type.ToString() != typeName)
        {
            throw new NotSupportedException($"{where} has the unknown element type '{TextInMessage.Of(typeName)}'. Convert it to F32, F16 or BF16.");
        }
        int dimensions = shape.GetArrayLength();
        if (dimensions > MostDimensions)
        {
            throw new InvalidDataException($"{where} has {dimensions} dimensions, at most {MostDimensions} are accepted. Convert the file again.");
        }
        var sizes = new long[dimensions];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = NonNegative(shape[i], where, "shape");
        }
        long begin = NonNegative(offsets[0], where, "data_offsets");
        long end = NonNegative(offsets[1], where, "data_offsets");
        if (begin > end || end > dataLength)
        {
            throw new InvalidDataException($"{where} claims the bytes {begin} to {end} of {dataLength}. The file is truncated or damaged: fetch or convert it again.");
        }
        if (BitLength(sizes, type) != (end - begin) * 8)
        {
            throw new InvalidDataException($"{where} has {end - begin} bytes, which {SafetensorsEntry.Describe(type, sizes)} does not fill exactly. Convert the file again.");
        }
        return new SafetensorsEntry(property.Name, type, sizes, begin, end - begin);
    }

    private static long NonNegative(JsonElement number, string where, string what) =>
        number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out long value) && value >= 0
            ? value
            : throw new InvalidDataException($"{where}: '{what}' holds {TextInMessage.Of(number.GetRawText())}, expected whole numbers from 0. Convert the file again.");

    // -1 where it is more than any file holds.
    private static long BitLength(long[] sizes, SafetensorsDType type)
    {
        long bits = type.Bits();
        foreach (long size in sizes)
        {
            if (size > 0 && bits > long.MaxValue / size)
            {
                return -1;
            }
            bits *= size;
        }
        return bits;
    }

    private static void CheckCover(IEnumerable<SafetensorsEntry> entries, long dataLength, string source)
    {
        long expected = 0;
        SafetensorsEntry[] sorted = [.. entries];
        Array.Sort(sorted, static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteLength.CompareTo(b.ByteLength));
        foreach (SafetensorsEntry entry in sorted)
        {
            if (entry.Offset != expected)
            {
                string fault = entry.Offset < expected ? "overlaps the tensor before it" : "leaves a gap";
                throw new InvalidDataException($"Tensor '{TextInMessage.Of(entry.Name)}' of '{source}' begins at byte {entry.Offset} and {fault}, expected {expected}. Convert the file again.");
            }
            expected += entry.ByteLength;
        }
        if (expected != dataLength)
        {
            throw new InvalidDataException($"The tensors of '{source}' take {expected} bytes, the file holds {dataLength}. Fetch or convert it again.");
        }
    }
}
