using System.Text.Json;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>What a server says of a revision: its commit and its files.</summary>
/// <param name="Repository">What was asked for.</param>
/// <param name="Commit">40 hexadecimal digits.</param>
internal sealed record HubListing(RepositoryId Repository, string Commit)
{
    private const int CommitDigits = 40;

    private readonly Dictionary<string, JsonFacts> _files = new(StringComparer.Ordinal);

    /// <summary>Paths of all files.</summary>
    public IReadOnlyCollection<string> Paths => _files.Keys;

    /// <summary>Reads the answer of <c>/api/models/ID/revision/REVISION?blobs=true</c>.</summary>
    /// <exception cref="InvalidDataException">It is no such answer.</exception>
    public static HubListing Parse(byte[] json, RepositoryId repository)
    {
        string where = $"list of the files of {repository.Name}";
        using JsonDocument document = JsonFile.Parse(json, where);
        string commit = JsonFile.String(document.RootElement, "sha", where) ?? "";
        if (commit.Length != CommitDigits || !commit.All(char.IsAsciiHexDigit))
        {
            throw new InvalidDataException($"The server's {where} names no commit ('sha' is '{TextInMessage.Of(commit)}'). Check the address of the server.");
        }
        var listing = new HubListing(repository, commit.ToLowerInvariant());
        if (JsonFile.Optional(document.RootElement, "siblings", where) is { } siblings)
        {
            JsonFile.Require(siblings, JsonValueKind.Array, $"{where}: siblings");
            foreach (JsonElement sibling in siblings.EnumerateArray())
            {
                listing.Add(sibling, where);
            }
        }
        return listing;
    }

    /// <summary>Whether there is a file.</summary>
    public bool Has(string path) => _files.ContainsKey(path);

    /// <summary>Size and hash of a file that is there.</summary>
    /// <exception cref="ToolException">The server does not tell them.</exception>
    public HubFile File(string path)
    {
        JsonFacts facts = _files[path];
        return facts.Size is long size and >= 0 && facts.Hash is ContentHash hash
            ? new HubFile(path, size, hash)
            : throw new ToolException($"The server does not say the size and hash of '{TextInMessage.Of(path)}', without which it cannot be checked. Choose another --endpoint.");
    }

    private void Add(JsonElement sibling, string where)
    {
        string path = JsonFile.String(sibling, "rfilename", where) ?? throw new InvalidDataException($"The server's {where} has a file without a name. Check the address of the server.");
        if (!RepositoryPath.IsRelative(path))
        {
            throw new InvalidDataException($"The server's {where} has the path '{TextInMessage.Of(path)}', which leads outside a folder. Such a list is not followed; report it to the owner of the model or the server.");
        }
        JsonElement? lfs = JsonFile.Optional(sibling, "lfs", where);
        JsonElement content = lfs ?? sibling;
        string? hash = lfs is null ? JsonFile.String(sibling, "blobId", where) : JsonFile.String(content, "sha256", where) ?? JsonFile.String(content, "oid", where);
        long? size = Number(content, "size", where) ?? Number(sibling, "size", where);
        if (!_files.TryAdd(path, new JsonFacts(size, ContentHash.Parse(hash))))
        {
            throw new InvalidDataException($"The server's {where} has '{TextInMessage.Of(path)}' twice. Check the address of the server.");
        }
    }

    private static long? Number(JsonElement element, string key, string where) =>
        JsonFile.Optional(element, key, where) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long number) ? number : null;

    private sealed record JsonFacts(long? Size, ContentHash? Hash);
}
