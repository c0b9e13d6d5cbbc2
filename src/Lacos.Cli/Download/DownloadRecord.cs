using System.Text.Json;
using System.Text.Json.Nodes;
using Lacos.Cli.Output;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>What downloads have written into a folder: which model and commit, which files with which content. By it a file that is nobody's work is known from one that is.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Revision">The revision that was asked for.</param>
/// <param name="Commit">The commit that it was.</param>
/// <param name="Files">Path and hash of each file.</param>
internal sealed record DownloadRecord(string Model, string Revision, string Commit, IReadOnlyList<(string Path, ContentHash Hash)> Files)
{
    private const int Largest = 1 << 22;

    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Reads a record; <see langword="null"/> where there is none that makes sense.</summary>
    public static DownloadRecord? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            using JsonDocument document = JsonFile.Parse(JsonLimits.ReadFile(path, Largest), path);
            JsonElement root = document.RootElement;
            var files = new List<(string, ContentHash)>();
            if (JsonFile.Optional(root, "files", path) is { ValueKind: JsonValueKind.Array } list)
            {
                foreach (JsonElement file in list.EnumerateArray())
                {
                    if (JsonFile.String(file, "path", path) is string name && RepositoryPath.IsPortable(name) && ContentHash.Parse(JsonFile.String(file, "hash", path)) is ContentHash hash)
                    {
                        files.Add((name, hash));
                    }
                }
            }
            return new DownloadRecord(JsonFile.String(root, "model", path) ?? "", JsonFile.String(root, "revision", path) ?? "", JsonFile.String(root, "commit", path) ?? "", files);
        }
        catch (InvalidDataException)
        {
            // Without a record no file counts as a download's, and none is replaced.
            return null;
        }
    }

    /// <summary>Writes the record, complete or not at all.</summary>
    public void Write(string path)
    {
        var content = new JsonObject
        {
            ["model"] = Model,
            ["revision"] = Revision,
            ["commit"] = Commit,
            ["files"] = new JsonArray([.. Files.Select(file => new JsonObject { ["path"] = file.Path, ["hash"] = file.Hash.Hex })]),
        };
        using PendingFile file = PendingFile.Create(path);
        file.Stream.Write(JsonSerializer.SerializeToUtf8Bytes(content, Options));
        file.Stream.WriteByte((byte)'\n');
        file.Commit();
    }
}
