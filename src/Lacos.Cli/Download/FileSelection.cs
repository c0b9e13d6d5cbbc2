using System.Text.Json;
using Lacos.Cli.Terminal;
using Microsoft.ML.Lacos.Bloom;
using Microsoft.ML.Lacos.Hub;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Safetensors;

namespace Lacos.Cli.Download;

/// <summary>Chooses the files of a repository that the loaders read, after its configuration has passed their checks.</summary>
/// <remarks>Only small files are read here. Never chosen: pickles, code, weights in other formats.</remarks>
internal sealed class FileSelection
{
    private readonly HubListing _listing;
    private readonly Func<HubFile, Task<byte[]>> _read;
    private readonly List<HubFile> _files = [];
    private readonly List<HubFile> _weights = [];
    private readonly HashSet<string> _chosen = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _folders = [];
    private readonly List<string> _remarks = [];

    private FileSelection(HubListing listing, Func<HubFile, Task<byte[]>> read)
    {
        _listing = listing;
        _read = read;
    }

    /// <summary>The files, weights last: a folder that lacks its weights is no model yet.</summary>
    public IReadOnlyList<HubFile> Files => [.. _files, .. _weights];

    /// <summary>Folders of the repository from which a model is read; empty text for the root. None for an adapter.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>What was left out and might have been expected.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    private string Name => _listing.Repository.Name;

    /// <summary>Chooses.</summary>
    /// <param name="listing">All files.</param>
    /// <param name="read">Gives the content of a small one.</param>
    /// <exception cref="ToolException">There is nothing that could be loaded.</exception>
    /// <exception cref="NotSupportedException">The model is of another kind.</exception>
    /// <exception cref="InvalidDataException">A configuration is damaged.</exception>
    public static async Task<FileSelection> ChooseAsync(HubListing listing, Func<HubFile, Task<byte[]>> read)
    {
        var selection = new FileSelection(listing, read);
        if (!listing.Paths.Any(path => path.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            throw selection.WithoutWeights("");
        }
        if (listing.Has(SentenceTransformersFolder.ModulesName))
        {
            await selection.AddSentenceTransformersAsync().ConfigureAwait(false);
        }
        else if (listing.Has(PeftAdapter.ConfigFileName) && !selection.HasModelWeights(""))
        {
            await selection.AddAdapterAsync().ConfigureAwait(false);
        }
        else
        {
            await selection.AddCheckpointAsync("").ConfigureAwait(false);
        }
        selection.AddDocuments();
        return selection;
    }

    private async Task AddSentenceTransformersAsync()
    {
        byte[] json = await ReadAsync(SentenceTransformersFolder.ModulesName).ConfigureAwait(false);
        IReadOnlyList<(string Kind, string Subfolder)> modules = SentenceTransformersFolder.Modules(json, Where(SentenceTransformersFolder.ModulesName));
        string pooling = Below(modules[1].Subfolder, ModelFiles.Config);
        using (JsonDocument document = JsonFile.Parse(await ReadAsync(pooling).ConfigureAwait(false), Where(pooling)))
        {
            PoolingNames.FromModule(document.RootElement, Where(pooling));
        }
        AddIfThere(ModelFiles.Prompts);
        _folders.Add("");
        await AddCheckpointAsync(modules[0].Subfolder).ConfigureAwait(false);
    }

    private async Task AddCheckpointAsync(string folder)
    {
        _folders.Add(folder.TrimEnd('/'));
        string config = Below(folder, ModelFiles.Config);
        BloomConfigJson.Read(await ReadAsync(config).ConfigureAwait(false), Where(config));
        string tokenizer = Below(folder, ModelFiles.Tokenizer);
        if (!_listing.Has(tokenizer))
        {
            throw new ToolException($"'{Name}' holds no '{tokenizer}', without which there are no token ids. Choose a model that has one, or save its fast tokenizer yourself.");
        }
        Add(tokenizer);
        foreach (string name in ModelFiles.BesideConfig)
        {
            AddIfThere(Below(folder, name));
        }
        if (_listing.Has(PeftAdapter.ConfigFileName))
        {
            _remarks.Add($"'{Name}' holds a model and an adapter; the adapter is left out.");
        }
        await AddWeightsAsync(folder).ConfigureAwait(false);
    }

    private async Task AddWeightsAsync(string folder)
    {
        string single = Below(folder, SafetensorsFolder.SingleName), index = Below(folder, SafetensorsFolder.IndexName);
        if (_listing.Has(single))
        {
            Add(single);
            return;
        }
        if (!_listing.Has(index))
        {
            throw WithoutWeights(folder);
        }
        byte[] json = await ReadAsync(index).ConfigureAwait(false);
        foreach (string shard in SafetensorsFolder.ReadIndex(json, Where(index)).Select(entry => entry.Shard).Distinct(StringComparer.Ordinal))
        {
            string path = Below(folder, shard);
            if (!_listing.Has(path))
            {
                throw new ToolException($"'{Where(index)}' names the file '{TextInMessage.Of(shard)}', which '{Name}' does not hold. Choose another --revision.");
            }
            Add(path);
        }
    }

    private async Task AddAdapterAsync()
    {
        if (!_listing.Has(PeftAdapter.WeightsFileName))
        {
            throw WithoutWeights("", PeftAdapter.WeightsFileName);
        }
        string where = Where(PeftAdapter.ConfigFileName);
        LoraConfig config = LoraConfigJson.Read(await ReadAsync(PeftAdapter.ConfigFileName).ConfigureAwait(false), where);
        if (!AdaptableModules.AreTargeted(config))
        {
            string modules = config.TargetPattern ?? string.Join(", ", config.TargetModules);
            throw new NotSupportedException($"'{where}' adapts {TextInMessage.Of(modules)}, which are no linear layers of a BLOOM block. Choose an adapter of a BLOOM.");
        }
        Add(PeftAdapter.WeightsFileName);
    }

    private void AddDocuments()
    {
        foreach (string path in _listing.Paths.Where(ModelFiles.IsDocument).Order(StringComparer.Ordinal))
        {
            if (!RepositoryPath.IsPortable(path) || _chosen.Contains(path) || _listing.File(path).Size > ModelFiles.Largest(path))
            {
                _remarks.Add($"'{TextInMessage.Of(path)}' is left out: its name or size does not fit. Read it at the server.");
                continue;
            }
            Add(path);
        }
    }

    private bool HasModelWeights(string folder) => _listing.Has(Below(folder, SafetensorsFolder.SingleName)) || _listing.Has(Below(folder, SafetensorsFolder.IndexName));

    private async Task<byte[]> ReadAsync(string path)
    {
        if (!_listing.Has(path))
        {
            throw new ToolException($"'{Name}' holds no '{TextInMessage.Of(path)}', and the model needs it. Name a BLOOM checkpoint, a sentence-transformers model of one, or a PEFT adapter.");
        }
        return await _read(Add(path)).ConfigureAwait(false);
    }

    private void AddIfThere(string path)
    {
        if (_listing.Has(path))
        {
            Add(path);
        }
    }

    private HubFile Add(string path)
    {
        if (!RepositoryPath.IsPortable(path))
        {
            throw new ToolException($"The model needs a file '{TextInMessage.Of(path)}', which is no name that every system has. Such a file is never written; rename it in the repository.");
        }
        HubFile file = _listing.File(path);
        if (ModelFiles.Largest(path) is int largest)
        {
            JsonLimits.RequireLength(file.Size, largest, Where(path));
        }
        if (!_chosen.Add(path))
        {
            throw new ToolException($"'{Name}' holds two files '{TextInMessage.Of(path)}' that differ in letters of upper and lower case only, and some systems have one of them. Rename one in the repository.");
        }
        (ModelFiles.Largest(path) is null ? _weights : _files).Add(file);
        return file;
    }

    private ToolException WithoutWeights(string folder, string wanted = SafetensorsFolder.SingleName)
    {
        string? pickle = _listing.Paths.Where(ModelFiles.IsPickle).Order(StringComparer.Ordinal).FirstOrDefault();
        return pickle is null
            ? new ToolException($"'{Name}' holds no '{Below(folder, wanted)}'. Name a model with weights in safetensors format.")
            : new ToolException(
                $"{_listing.Repository} holds its weights only as '{TextInMessage.Of(pickle)}', a pickle, which can run code when opened and is never read. "
                + "Look at the model's pull requests for a conversion to safetensors and take it with --revision refs/pr/N, or save the model with safe_serialization=True in transformers.");
    }

    private string Where(string path) => $"{Name}/{path}";

    private static string Below(string folder, string name) => folder.Length == 0 ? name : $"{folder.TrimEnd('/')}/{name}";
}
