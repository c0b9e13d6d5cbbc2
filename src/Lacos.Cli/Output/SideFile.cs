using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Output;

/// <summary>The <c>NAME.json</c> beside a vectors file, which says what its vectors are.</summary>
internal static class SideFile
{
    private const string FileKey = "file";
    private const int Largest = 1 << 20;
    private const int MostTokens = 1000;

    // What every side file has, also one of the time before they named their vectors file.
    private static readonly string[] Keys = ["rows", "dimension", "precision", "fingerprint"];

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Path of the side file of a vectors file.</summary>
    public static string PathFor(string vectorsPath) => Path.ChangeExtension(vectorsPath, ".json");

    /// <summary>Refuses to replace a file that is not the side file of this vectors file.</summary>
    /// <exception cref="UsageException">There is another file at its path.</exception>
    public static void RefuseOther(string vectorsPath)
    {
        string path = PathFor(vectorsPath);
        if (File.Exists(path) && Read(vectorsPath) is null)
        {
            throw new UsageException($"'{vectorsPath}' would be described in '{path}', which exists and does not describe it. Give the output another name, or move that file away.");
        }
    }

    /// <summary>Removes the side file of the vectors that are about to be replaced: beside the new ones it would be wrong. A link at its name stays, and what it leads to goes.</summary>
    public static void Remove(string vectorsPath)
    {
        string path = PathFor(vectorsPath);
        if (File.Exists(path))
        {
            File.Delete(AtomicFile.TargetOf(path));
        }
    }

    /// <summary>Writes a side file, complete or not at all.</summary>
    public static void Write(string vectorsPath, JsonObject content)
    {
        content.Insert(0, FileKey, Path.GetFileName(vectorsPath));
        using PendingFile file = PendingFile.Create(PathFor(vectorsPath));
        file.Stream.Write(JsonSerializer.SerializeToUtf8Bytes(content, Options));
        file.Stream.WriteByte((byte)'\n');
        file.Commit();
    }

    /// <summary>Reads the side file of a vectors file.</summary>
    /// <returns><see langword="null"/> where there is none, or another file at its path.</returns>
    public static JsonObject? Read(string vectorsPath)
    {
        string path = PathFor(vectorsPath);
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            byte[] bytes = JsonLimits.ReadFile(path, Largest);
            JsonLimits.RequireTokens(bytes, MostTokens, path);
            return JsonNode.Parse(bytes, documentOptions: Strict) is JsonObject content
                && Keys.All(content.ContainsKey)
                && (!content.ContainsKey(FileKey) || string.Equals(content[FileKey]?.GetValue<string>(), Path.GetFileName(vectorsPath), OverwriteCheck.PathComparison))
                ? content
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or InvalidDataException)
        {
            return null;
        }
    }
}
