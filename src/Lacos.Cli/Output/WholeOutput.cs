using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>Tells whether vectors are there already: whole, and of the same input, model and settings.</summary>
internal static class WholeOutput
{
    /// <summary>Key of the hash in a side file.</summary>
    public const string HashKey = "sha256";

    // What may differ and still leave every vector as it is: where things lie, and what computed them.
    private static readonly string[] Incidental = ["input", "model", "engine"];

    /// <summary>Whether a vectors file is what would be made.</summary>
    /// <param name="vectorsPath">The vectors file.</param>
    /// <param name="content">What its side file would say, without the hash.</param>
    public static bool Is(string vectorsPath, JsonObject content) =>
        File.Exists(vectorsPath) && FileStatus.SpecialKind(vectorsPath) is null
        && SideFile.Read(vectorsPath) is JsonObject said
        && content.All(entry => IsIncidental(entry.Key) || (said.TryGetPropertyValue(entry.Key, out JsonNode? value) && Text(value) == Text(entry.Value)))
        && HasHash(vectorsPath, said);

    /// <summary>Whether a vectors file has the bytes that its side file was written for.</summary>
    public static bool HasSaidHash(string vectorsPath) => FileStatus.SpecialKind(vectorsPath) is null && SideFile.Read(vectorsPath) is JsonObject said && HasHash(vectorsPath, said);

    /// <summary>Whether what a side file says under this key may differ between files of the same vectors.</summary>
    public static bool IsIncidental(string key) => Incidental.Contains(key, StringComparer.Ordinal);

    /// <summary>Adds the hash of a vectors file to what its side file will say.</summary>
    /// <returns><paramref name="content"/>.</returns>
    public static JsonObject AddHash(string vectorsPath, JsonObject content)
    {
        content[HashKey] = HashOf(vectorsPath);
        return content;
    }

    private static bool HasHash(string path, JsonObject said) => said.TryGetPropertyValue(HashKey, out JsonNode? hash) && Text(hash) == Text(JsonValue.Create(HashOf(path)));

    private static string HashOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "null";
}
