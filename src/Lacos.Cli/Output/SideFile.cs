using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lacos.Cli.Output;

/// <summary>The <c>NAME.json</c> beside a vectors file, which says what its vectors are.</summary>
internal static class SideFile
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Path of the side file of a vectors file.</summary>
    public static string PathFor(string vectorsPath) => Path.ChangeExtension(vectorsPath, ".json");

    /// <summary>Writes a side file, complete or not at all.</summary>
    public static void Write(string vectorsPath, JsonObject content)
    {
        using PendingFile file = PendingFile.Create(PathFor(vectorsPath));
        file.Stream.Write(JsonSerializer.SerializeToUtf8Bytes(content, Options));
        file.Stream.WriteByte((byte)'\n');
        file.Commit();
    }
}
