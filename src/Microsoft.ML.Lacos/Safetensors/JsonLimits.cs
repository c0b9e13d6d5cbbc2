using System.Text.Json;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>How much JSON is believed: in bytes before a file is read, and in tokens before a document is made of it.</summary>
/// <remarks>A parsed document takes twelve bytes or more for each name, value and bracket, however short it is, and more while names are checked: a list of zeros becomes many times as large as its text.</remarks>
internal static class JsonLimits
{
    /// <summary>Bytes of a configuration; real ones have kilobytes.</summary>
    public const int LargestConfig = 1 << 24;

    /// <summary>Bytes of an index of shards: a hundred or two for each tensor.</summary>
    public const int LargestIndex = 1 << 26;

    /// <summary>Bytes of a <c>tokenizer.json</c>; BLOOM's has 14 million.</summary>
    public const int LargestTokenizer = 1 << 27;

    /// <summary>Names, values and brackets of a configuration, and of a tokenizer beside its vocabulary and merges.</summary>
    public const int MostConfigTokens = 1_000_000;

    /// <summary>Names, values and brackets of a list of tensors: eleven for each in a header and one more for each dimension, two in an index.</summary>
    public const int MostTensorTokens = 8_000_000;

    /// <summary>Reads a file that is not larger than it may be.</summary>
    /// <exception cref="InvalidDataException">It is larger, or is no file.</exception>
    public static byte[] ReadFile(string path, int largest)
    {
        FileStatus.RequireFile(path);
        using FileStream file = File.OpenRead(path);
        RequireLength(file.Length, largest, path);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Refuses what is larger than it may be.</summary>
    /// <exception cref="InvalidDataException">It is.</exception>
    public static void RequireLength(long length, int largest, string source)
    {
        if (length > largest)
        {
            throw new InvalidDataException($"'{source}' has {length} bytes, at most {largest} are accepted. Check that it is what it should be, and fetch it again.");
        }
    }

    /// <summary>Refuses JSON of more names, values and brackets than it may have.</summary>
    /// <exception cref="InvalidDataException">It has more.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static void RequireTokens(ReadOnlySpan<byte> json, int most, string source)
    {
        var reader = new Utf8JsonReader(json);
        for (int tokens = 0; reader.Read(); tokens++)
        {
            if (tokens == most)
            {
                throw new InvalidDataException($"'{source}' holds more than {most} names, values and brackets. Check that it is what it should be, and fetch it again.");
            }
        }
    }
}
