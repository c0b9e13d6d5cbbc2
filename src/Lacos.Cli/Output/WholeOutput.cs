using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>Tells whether vectors are there already: whole, and of the same input, model and settings.</summary>
internal static class WholeOutput
{
    private const string HashKey = "sha256";

    // What may differ and still leave every vector as it is: where things lie, and what computed them.
    private static readonly string[] Incidental = ["input", "model", "engine"];

    /// <summary>Whether a vectors file is what would be made.</summary>
    /// <param name="vectorsPath">The vectors file.</param>
    /// <param name="content">What its side file would say, without the hash.</param>
    public static bool Is(string vectorsPath, JsonObject content) =>
        File.Exists(vectorsPath) && FileStatus.SpecialKind(vectorsPath) is null
        && SideFile.Read(vectorsPath) is JsonObject said
        && content.All(entry => Incidental.Contains(entry.Key, StringComparer.Ordinal) || (said.TryGetPropertyValue(entry.Key, out JsonNode? value) && Text(value) == Text(entry.Value)))
        && said.TryGetPropertyValue(HashKey, out JsonNode? hash)
        && Text(hash) == Text(JsonValue.Create(HashOf(vectorsPath)));

    /// <summary>Adds the hash of a vectors file to what its side file will say.</summary>
    /// <returns><paramref name="content"/>.</returns>
    public static JsonObject AddHash(string vectorsPath, JsonObject content)
    {
        content[HashKey] = HashOf(vectorsPath);
        return content;
    }

    private static string HashOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "null";
}
