using System.Text.Json;

namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>The weights of a Hugging Face model folder: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
internal sealed class SafetensorsFolder : IDisposable
{
    /// <summary>Name of the weights in one file; it is read where both are there.</summary>
    public const string SingleName = "model.safetensors";

    /// <summary>Name of the index of weights in shards.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _fileOfTensor = new(StringComparer.Ordinal);

    private SafetensorsFolder(string folder) => Folder = folder;

    /// <summary>The folder, for messages.</summary>
    public string Folder { get; }

    /// <summary>Paths of all files.</summary>
    public IReadOnlyList<string> Files => [.. _files.Select(file => file.Source)];

    /// <summary>File that holds each tensor, by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsFile> Tensors => _fileOfTensor;

    /// <summary>Opens and checks all files.</summary>
    /// <exception cref="FileNotFoundException">The folder holds no safetensors weights, or a shard is missing.</exception>
    /// <exception cref="NotSupportedException">The folder holds only weights in another format.</exception>
    /// <exception cref="InvalidDataException">The index or a file is damaged or names a file outside the folder.</exception>
    public static SafetensorsFolder Open(string folder)
    {
        var result = new SafetensorsFolder(folder);
        try
        {
            if (File.Exists(Path.Combine(folder, SingleName)))
            {
                result.AddFile(SingleName);
            }
            else if (File.Exists(Path.Combine(folder, IndexName)))
            {
                result.AddShards();
            }
            else
            {
                throw WithoutWeights(folder);
            }
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
        {
            file.Dispose();
        }
    }

    private static Exception WithoutWeights(string folder)
    {
        string? pickle = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "pytorch_model*.bin").Order(StringComparer.Ordinal).FirstOrDefault() : null;
        return pickle is null
            ? new FileNotFoundException($"'{folder}' holds neither '{SingleName}' nor '{IndexName}'. Name a folder with weights in safetensors format.", Path.Combine(folder, SingleName))
            : new NotSupportedException($"'{folder}' holds its weights only as '{Path.GetFileName(pickle)}', a pickle, which can run code when opened and is never read. Save the model with safe_serialization=True in transformers, or take its safetensors files.");
    }

    private void AddFile(string name)
    {
        SafetensorsFile file = OpenShard(name);
        foreach (string tensor in file.Entries.Keys)
        {
            _fileOfTensor.Add(tensor, file);
        }
    }

    private SafetensorsFile OpenShard(string name)
    {
        SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Folder, name));
        _files.Add(file);
        return file;
    }

    private void AddShards()
    {
        string index = Path.Combine(Folder, IndexName);
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach ((string tensor, string shard) in ReadIndex(JsonLimits.ReadFile(index, JsonLimits.LargestIndex), index))
        {
            if (!shards.TryGetValue(shard, out SafetensorsFile? file))
            {
                if (!File.Exists(Path.Combine(Folder, shard)))
                {
                    throw new FileNotFoundException($"'{index}' places tensor '{TextInMessage.Of(tensor)}' in '{TextInMessage.Of(shard)}', which is not in the folder. Fetch that file too, of the same revision.", shard);
                }
                file = OpenShard(shard);
                shards.Add(shard, file);
            }
            _fileOfTensor[tensor] = file.Entries.ContainsKey(tensor)
                ? file
                : throw new InvalidDataException($"'{index}' places tensor '{TextInMessage.Of(tensor)}' in '{TextInMessage.Of(shard)}', which does not hold it. Fetch the files again, all of one revision.");
        }
    }

    /// <summary>The file that an index names for each tensor: plain names of safetensors files.</summary>
    /// <param name="json">Content of the index.</param>
    /// <param name="where">Name for messages.</param>
    /// <exception cref="InvalidDataException">It is damaged or names a file outside the folder.</exception>
    public static IReadOnlyList<(string Tensor, string Shard)> ReadIndex(byte[] json, string where)
    {
        (string Tensor, string Shard)[] entries = Entries(json, where);
        (string tensor, string shard) = Array.Find(entries, entry => !IsPlainName(entry.Shard));
        return shard is null
            ? entries
            : throw new InvalidDataException($"'{where}' places tensor '{TextInMessage.Of(tensor)}' in '{TextInMessage.Of(shard)}', which is not a plain .safetensors file name. Weights outside the folder are never read; correct the index.");
    }

    private static (string Tensor, string Shard)[] Entries(byte[] json, string where)
    {
        try
        {
            JsonLimits.RequireTokens(json, JsonLimits.MostTensorTokens, where);
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return [.. document.RootElement.GetProperty("weight_map").EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString() ?? ""))];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"'{where}' is not an index of shards: {TextInMessage.Of(error.Message)} Fetch it again.", error);
        }
    }

    // Both separators on every system: an index written for one must not escape on another. A colon is a drive or a stream on Windows.
    private static bool IsPlainName(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) && name[0] != '.' && name.AsSpan().IndexOfAny("/\\:\0") < 0;
}
